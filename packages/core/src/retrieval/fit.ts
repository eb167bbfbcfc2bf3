/**
 * Training: epochs over batches, with history, validation, callbacks, early stop, progress, and an abort signal that
 * leaves a checkpoint.
 *
 * Batches are rows in order, as the tutorial's cached data set, unless `shuffle` asks for a new seeded order every epoch.
 * One seed gives the same bits on any number of threads, and a run resumed from a checkpoint those of one that was never
 * interrupted.
 */

import { checkInteger } from '../checks/numbers.ts';
import { BOOLEAN, FUNCTION, NUMBER, OBJECT, objectWith, optionsCheck, required, SIGNAL } from '../checks/options.ts';
import { exclusively, savesEnded, type TableLock } from '../embeddings/table-lock.ts';
import { AbortedError, DivergedError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import type { Features, TowerInput } from '../towers/tower.ts';
import { type Checkpoint, FitAbortedError, restoreCheckpoint, takeCheckpoint } from './checkpoint.ts';
import {
  type ClusterMoment,
  type ClusterRecord,
  type ClusterSchedule,
  clusterSteps,
  clusterTables,
  type NamedTable,
} from './cluster-schedule.ts';
import { type EncodedDataset, encodeDataset, type RetrievalDataset, takeBatch } from './dataset.ts';
import { type EarlyStopping, StopWatcher } from './early-stopping.ts';
import { EVALUATE, type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts';
import type { EpochRecord, History } from './history.ts';
import { LossMeter } from './losses.ts';
import { type Clock, Pauses, systemClock } from './progress.ts';
import { type ModelParts, step as stepModel } from './step.ts';

/** What is known after a step. */
export interface FitProgress {
  /** From 1. */
  epoch: number;
  epochs: number;
  /** From 1, in the epoch. */
  step: number;
  steps: number;
  /** Of this step's batch. */
  lossPerExample: number;
  examplesPerSecond: number;
  etaSeconds: number;
}

/** Options of `fit`. */
export interface FitOptions<Q extends Features, C extends Features> {
  /** Passes over the data; default 1. */
  epochs?: number;
  /** Rows of a batch; default 8,192, the tutorial's. */
  batchSize?: number;
  /** A new order of rows every epoch; default false. */
  shuffle?: boolean;
  /** Seed of the orders; default 42. */
  seed?: number;
  /** Evaluated after every epoch. */
  validation?: { dataset: RetrievalDataset<Q, C> } & EvaluateOptions;
  /** Called after every step. */
  onProgress?: (progress: FitProgress) => void;
  /** When tables that learn their pointers (CQR) are clustered; default never. */
  clusterings?: ClusterSchedule;
  /** Called after every clustering of a table, with its health and a warning where columns collapsed. */
  onCluster?: (record: ClusterRecord) => void;
  /** Called after every epoch; awaited. Here learning rates are changed, checkpoints written. */
  onEpochEnd?: (record: EpochRecord) => void | Promise<void>;
  earlyStopping?: EarlyStopping;
  /** Stops between two steps, of training or validation, with a `FitAbortedError`, which carries a checkpoint. */
  signal?: AbortSignal | undefined;
  /** Go on from here; the data set and the options must be those of the run before. */
  resume?: Checkpoint;
  clock?: Clock;
}

const checkOptions = optionsCheck<FitOptions<never, never>>('fit', {
  epochs: NUMBER,
  batchSize: NUMBER,
  shuffle: BOOLEAN,
  seed: NUMBER,
  validation: OBJECT,
  onProgress: FUNCTION,
  clusterings: OBJECT,
  onCluster: FUNCTION,
  onEpochEnd: FUNCTION,
  earlyStopping: OBJECT,
  signal: SIGNAL,
  resume: objectWith('a checkpoint', 'arrays', 'optimizer', 'pointers'),
  clock: FUNCTION,
});
const checkValidation = optionsCheck<{ dataset: object } & EvaluateOptions>('fit.validation', {
  dataset: required(OBJECT),
  ...EVALUATE,
});

/**
 * Train a model.
 *
 * @throws {ShapeError} when the data set is empty or its columns differ in length, or `resume` is of other steps
 * @throws {DivergedError} naming the epoch and step whose loss was not finite; the step is not taken
 * @throws {FitAbortedError} when the signal is raised
 * @throws {StateError} when another `fit`, a clustering or a quantization of the same tables is under way
 */
export async function fit<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  dataset: RetrievalDataset<Q, C>,
  options: FitOptions<Q, C>,
): Promise<History> {
  const { epochs = 1, batchSize = 8192, seed = 42, clock = systemClock, validation } = checkOptions(options);
  if (validation) checkValidation(validation);
  checkInteger('epochs', epochs, 0);
  checkInteger('batchSize', batchSize, 1);
  checkInteger('seed', seed, Number.MIN_SAFE_INTEGER);
  const tables = tablesOf(model).map(({ table }) => table);
  const given = { ...options, epochs, batchSize, seed, clock };
  return exclusively('fit', tables, (lock) => runEpochs(model, dataset, given, lock));
}

type RunOptions<Q extends Features, C extends Features> = FitOptions<Q, C> &
  Required<Pick<FitOptions<Q, C>, 'epochs' | 'batchSize' | 'seed' | 'clock'>>;

async function runEpochs<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  dataset: RetrievalDataset<Q, C>,
  options: RunOptions<Q, C>,
  lock: TableLock,
): Promise<History> {
  const { epochs, batchSize, shuffle = false, seed, signal, resume, clock } = options;
  const encoded = encodeDataset(dataset, model.queryTower, model.candidateTower);
  const steps = Math.ceil(encoded.rows / batchSize);
  const history: History = { epochs: [...(resume?.epochs ?? [])], stoppedEarly: false };
  const watcher = options.earlyStopping && new StopWatcher(options.earlyStopping);
  for (const record of history.epochs) watcher?.shouldStop(record);
  if (resume) restoreCheckpoint(model, resume, steps);
  const due = options.clusterings ? clusterSteps(options.clusterings, steps, epochs) : [];
  const pauses = new Pauses(clock);
  const rate = new Rate(clock, epochs * encoded.rows, ((resume?.epoch ?? 0) * steps + (resume?.step ?? 0)) * batchSize);
  for (let epoch = resume?.epoch ?? 0; epoch < epochs && !history.stoppedEarly; epoch++) {
    const start = clock();
    const order = shuffle ? new Generator(seed).fork('shuffle', epoch).permutation(encoded.rows) : undefined;
    const meter = new LossMeter(model.task.batchMetricNames);
    const firstStep = resume?.epoch === epoch ? resume.step : 0;
    if (firstStep > 0) meter.restore(resume!.losses);
    const abortedAt = (step: number): FitAbortedError =>
      new FitAbortedError(
        takeCheckpoint(model, { epoch, step, losses: meter.save(), epochs: history.epochs }),
        signal!,
      );
    for (let step = firstStep; step < steps; step++) {
      if (signal?.aborted) throw abortedAt(step);
      const at = due.indexOf(epoch * steps + step);
      if (at >= 0) {
        const moment = { ...position(due[at]!, steps), isLast: at === due.length - 1, optimizer: model.optimizer };
        // Interrupted between two tables, the run goes on from before the first.
        const records = await clusterAt(model, options, moment, signal && abortedAt(step));
        await whileSavable(lock, () => {
          for (const record of records) options.onCluster?.(record);
        });
      }
      const progress = trainStep(model, encoded, { epoch, epochs, step, steps, batchSize, order, meter, rate });
      if (options.onProgress) await whileSavable(lock, () => options.onProgress?.(progress));
      await pauses.pause();
    }
    const record: EpochRecord = { epoch: epoch + 1, ...meter.losses(), seconds: (clock() - start) / 1000 };
    if (model.task.batchMetrics.length > 0) record.batchMetrics = meter.batchMetrics();
    if (options.validation) {
      // The epoch's training is done and kept: a resumed run only validates it.
      record.validation = await validate(model, options, () => abortedAt(steps));
    }
    history.epochs.push(record);
    history.stoppedEarly = watcher?.shouldStop(record) ?? false;
    if (options.onEpochEnd) await whileSavable(lock, () => options.onEpochEnd?.(record));
  }
  return history;
}

/** Call back between two steps: what is saved meanwhile is whole. */
async function whileSavable(lock: TableLock, callback: () => void | Promise<void>): Promise<void> {
  lock.isSavable = true;
  try {
    await callback();
  } finally {
    lock.isSavable = false;
  }
  // A save that the callback began and did not await still reads the tables.
  await savesEnded(lock.tables);
}

async function clusterAt<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  { clusterings, signal, clock }: RunOptions<Q, C>,
  moment: Pick<ClusterMoment, 'epoch' | 'step' | 'isLast' | 'optimizer'>,
  before: FitAbortedError | undefined,
): Promise<ClusterRecord[]> {
  try {
    return await clusterTables(tablesOf(model), clusterings!, { ...moment, signal, clock });
  } catch (error) {
    throw error instanceof AbortedError ? before : error;
  }
}

async function validate<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  { batchSize, signal, clock, validation }: RunOptions<Q, C>,
  abortedNow: () => FitAbortedError,
): Promise<Evaluation> {
  const { dataset, ...how } = validation!;
  try {
    return await evaluate(model, dataset, { batchSize, signal, clock, ...how });
  } catch (error) {
    throw error instanceof AbortedError && signal?.aborted ? abortedNow() : error;
  }
}

/** Epoch and step, both from 1, of step `count` of a run. */
function position(count: number, steps: number): { epoch: number; step: number } {
  return { epoch: Math.floor((count - 1) / steps) + 1, step: ((count - 1) % steps) + 1 };
}

/** Every table, under its tower's name and its feature's. */
function tablesOf<Q extends Features, C extends Features>(model: ModelParts<Q, C>): NamedTable[] {
  const of = (tower: string, inputs: readonly TowerInput[]): NamedTable[] =>
    inputs.map(({ name, table }) => ({ name: name === '' ? tower : `${tower}.${name}`, table }));
  return [...of('queryTower', model.queryTower.inputs), ...of('candidateTower', model.candidateTower.inputs)];
}

interface StepContext {
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  batchSize: number;
  order: Int32Array | undefined;
  meter: LossMeter;
  rate: Rate;
}

function trainStep<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  encoded: EncodedDataset,
  { epoch, epochs, step, steps, batchSize, order, meter, rate }: StepContext,
): FitProgress {
  const begin = step * batchSize;
  const batch = takeBatch(encoded, begin, Math.min(begin + batchSize, encoded.rows), order);
  const figures = stepModel(model, batch, true);
  const { loss, perExample } = figures;
  if (!Number.isFinite(loss)) {
    throw new DivergedError(`loss: expected a finite number, got ${loss} at epoch ${epoch + 1}, step ${step + 1}`);
  }
  meter.add(figures, batch.rows);
  return { epoch: epoch + 1, epochs, step: step + 1, steps, lossPerExample: perExample, ...rate.after(batch.rows) };
}

/** Examples a second and the time that is left. */
class Rate {
  readonly #clock: Clock;
  readonly #start: number;
  readonly #total: number;
  readonly #before: number;
  #done = 0;

  constructor(clock: Clock, total: number, before: number) {
    this.#clock = clock;
    this.#start = clock();
    this.#total = total;
    this.#before = before;
  }

  after(rows: number): { examplesPerSecond: number; etaSeconds: number } {
    this.#done += rows;
    const seconds = Math.max(1e-9, (this.#clock() - this.#start) / 1000);
    const examplesPerSecond = this.#done / seconds;
    return { examplesPerSecond, etaSeconds: Math.max(0, this.#total - this.#before - this.#done) / examplesPerSecond };
  }
}
