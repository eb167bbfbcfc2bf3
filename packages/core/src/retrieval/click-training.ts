/**
 * The training of click models: epochs over labelled rows in a new seeded order, clusterings, validation, and the best epoch.
 */
import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger } from '../checks/numbers.ts';
import { BOOLEAN, FUNCTION, NUMBER, OBJECT, type OptionTypes, SIGNAL } from '../checks/options.ts';
import { Cqr } from '../embeddings/cqr.ts';
import { DivergedError, OptionError } from '../errors/errors.ts';
import type { ClickMetrics } from '../metrics/click-metrics.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { Generator } from '../random/generator.ts';
import type { Matrix } from '../vectors/matrix.ts';
import {
  type ClusterRecord,
  type ClusterSchedule,
  clusterSteps,
  clusterTables,
  type NamedTable,
} from './cluster-schedule.ts';
import { type Clock, Pauses, systemClock } from './pauses.ts';

/** Labelled pairs as columns. */
export interface Clicks {
  /** [N] ids of the query table. */
  queries: Int32Array;
  /** [N] ids of the candidate table. */
  candidates: Int32Array;
  /** [N] 1 for a click, 0 for none. */
  labels: Uint8Array;
}

/** The losses of an epoch, and the validation after it. */
export interface ClickEpoch {
  /** The number of the epoch, from 1. */
  epoch: number;
  /** Mean cross-entropy of the epoch's rows, each before its step. */
  crossEntropy: number;
  validation?: ClickMetrics;
  clusterings: ClusterRecord[];
  seconds: number;
}

/** Options of `fit`. */
export interface ClickFitOptions<R = Clicks> {
  /** Passes over the data; default 1. */
  epochs?: number;
  /** Rows of a batch; default 512. */
  batchSize?: number;
  /** Seed of the order of rows, new every epoch; default 42. */
  seed?: number;
  validation?: R;
  /** End with the parameters and pointers of the epoch whose cross-entropy on `validation` was lowest. */
  restoreBestWeights?: boolean;
  /** The schedule of clusterings of CQR tables; default no clustering. */
  clusterings?: ClusterSchedule;
  onEpochEnd?: (record: ClickEpoch) => void | Promise<void>;
  onCluster?: (record: ClusterRecord) => void;
  signal?: AbortSignal | undefined;
  clock?: Clock;
}

/** The types of the options of `fit`. */
export const CLICK_FIT: OptionTypes<ClickFitOptions> = {
  epochs: NUMBER,
  batchSize: NUMBER,
  seed: NUMBER,
  validation: OBJECT,
  restoreBestWeights: BOOLEAN,
  clusterings: OBJECT,
  onEpochEnd: FUNCTION,
  onCluster: FUNCTION,
  signal: SIGNAL,
  clock: FUNCTION,
};

/** The parts of a click model that its training uses. */
export interface ClickModel<R> {
  readonly optimizer: SparseOptimizer;
  readonly tables: readonly NamedTable[];
  /** Trained matrices beside those of the tables. */
  readonly others: readonly Matrix[];
  /** One step on a batch; Σ cross-entropy before it. */
  step(batch: R, trainingStep: number): number;
  evaluate(rows: R): ClickMetrics;
}

/** Labelled rows, of which batches are taken. */
export interface ClickRows<R> {
  count: number;
  take(rows: Int32Array): R;
}

/**
 * Train.
 *
 * @param adapt called once before the first epoch
 * @throws {DivergedError} naming the epoch and step whose loss was not finite; the step is not taken
 * @throws {AbortedError} when the signal is raised
 */
export async function fitClicks<R>(
  model: ClickModel<R>,
  { count, take }: ClickRows<R>,
  options: ClickFitOptions<R>,
  adapt: () => void,
): Promise<ClickEpoch[]> {
  const { epochs = 1, batchSize = 512, seed = 42, validation, clusterings, signal, clock = systemClock } = options;
  const { restoreBestWeights = false } = options;
  if (restoreBestWeights && validation === undefined) {
    throw new OptionError('restoreBestWeights: expected a fit with validation, got none');
  }
  checkInteger('epochs', epochs, 0);
  checkInteger('batchSize', batchSize, 1);
  adapt();
  let best: BestState | undefined;
  const steps = Math.ceil(count / batchSize);
  const due = clusterings ? clusterSteps(clusterings, steps, epochs) : [];
  const pauses = new Pauses(clock);
  const history: ClickEpoch[] = [];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const start = clock();
    const order = new Generator(seed).fork('shuffle', epoch).permutation(count);
    const record: ClickEpoch = { epoch, crossEntropy: 0, clusterings: [], seconds: 0 };
    for (let step = 1; step <= steps; step++) {
      throwIfAborted('fit', signal);
      const batch = take(order.subarray((step - 1) * batchSize, step * batchSize));
      const loss = model.step(batch, (epoch - 1) * steps + step - 1);
      if (!Number.isFinite(loss)) {
        throw new DivergedError(`loss: expected a finite number, got ${loss} at epoch ${epoch}, step ${step}`);
      }
      record.crossEntropy += loss / count;
      const at = due.indexOf((epoch - 1) * steps + step);
      if (at >= 0) {
        const moment = { epoch, step, isLast: at === due.length - 1, optimizer: model.optimizer, signal, clock };
        const records = await clusterTables([...model.tables], clusterings!, moment);
        record.clusterings.push(...records);
        for (const each of records) options.onCluster?.(each);
      }
      await pauses.pause();
    }
    if (validation) {
      record.validation = model.evaluate(validation);
      const { crossEntropy: loss } = record.validation;
      if (restoreBestWeights && !(loss >= (best?.crossEntropy ?? Number.POSITIVE_INFINITY))) {
        best = { crossEntropy: loss, restore: stateOf(model) };
      }
    }
    record.seconds = (clock() - start) / 1000;
    history.push(record);
    await options.onEpochEnd?.(record);
  }
  best?.restore();
  return history;
}

/** The best epoch so far. */
interface BestState {
  readonly crossEntropy: number;
  readonly restore: () => void;
}

/** Copies parameters and learned pointers, and gives them back when it is called. */
function stateOf<R>({ tables, others }: ClickModel<R>): () => void {
  const matrices = (): Matrix[] => [...tables.flatMap(({ table }) => table.trained()), ...others];
  const clustered = tables.flatMap(({ table }) => (table instanceof Cqr ? [table] : []));
  const pointers = clustered.map((table) => table.takePointers());
  const weights = matrices().map(({ data }) => data.slice());
  return () => {
    clustered.forEach((table, i) => {
      table.restorePointers(pointers[i]!);
    });
    matrices().forEach(({ data }, i) => {
      data.set(weights[i]!);
    });
  };
}
