/**
 * Click prediction by matrix factorisation: σ(⟨u, v⟩) of two embedding tables, trained on binary cross-entropy.
 *
 *   loss = Σ_rows log(1 + e^z) − y·z,   z = ⟨u_i, v_j⟩ (with biases: + b_i + c_j + μ);   ∂loss/∂u = (σ(z) − y)·v
 *
 * The task of the CCE paper's MovieLens runs (generalised matrix factorisation without weights), which TFRS trains as
 * `tasks.Ranking`. Ids are integers: no vocabulary, so that tens of millions of them cost nothing but their table.
 */

import { throwIfAborted } from '../checks/abort.ts';
import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import {
  BOOLEAN,
  FUNCTION,
  LIST,
  NUMBER,
  OBJECT,
  objectWith,
  optionsCheck,
  required,
  SIGNAL,
} from '../checks/options.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { IDS } from '../embeddings/ids.ts';
import { exclusively } from '../embeddings/table-lock.ts';
import { DivergedError, OptionError, ShapeError } from '../errors/errors.ts';
import { type ClickMetrics, clickMetrics, crossEntropy } from '../metrics/click-metrics.ts';
import { Adagrad } from '../optimizers/adagrad.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { boundOptimizer, type OptimizerOption } from '../optimizers/parameter-groups.ts';
import { Generator } from '../random/generator.ts';
import { distinctFeatures } from '../towers/distinct-features.ts';
import { Matrix } from '../vectors/matrix.ts';
import { ClickBiases } from './click-biases.ts';
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

/** Parts of a model. */
export interface MatrixFactorizationOptions {
  queryTable: EmbeddingTable;
  candidateTable: EmbeddingTable;
  /** An optimizer, or its description in plain JSON; default: Adagrad with a learning rate of 0.1. */
  optimizer?: OptimizerOption;
  /** Add a bias for each id and the logit of the share of clicks to z (click-biases.ts); default false. */
  biases?: boolean;
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
export interface ClickFitOptions {
  /** Passes over the data; default 1. */
  epochs?: number;
  /** Rows of a batch; default 512. */
  batchSize?: number;
  /** Seed of the order of rows, new every epoch; default 42. */
  seed?: number;
  validation?: Clicks;
  /**
   * End with the parameters of the epoch whose cross-entropy on `validation` was lowest; not together with `clusterings`,
   * which change the pointers of tables. Default false.
   */
  restoreBestWeights?: boolean;
  /** The schedule of clusterings of CQR tables; default no clustering. */
  clusterings?: ClusterSchedule;
  onEpochEnd?: (record: ClickEpoch) => void | Promise<void>;
  onCluster?: (record: ClusterRecord) => void;
  signal?: AbortSignal | undefined;
  clock?: Clock;
}

const TABLE = objectWith('an embedding table', 'rows', 'applyGradient');
const checkOptions = optionsCheck<MatrixFactorizationOptions>('MatrixFactorization', {
  queryTable: required(TABLE),
  candidateTable: required(TABLE),
  optimizer: OBJECT,
  biases: BOOLEAN,
});
const checkFit = optionsCheck<ClickFitOptions>('MatrixFactorization.fit', {
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
});
const checkColumns = optionsCheck<Clicks>('clicks', {
  queries: required(LIST),
  candidates: required(LIST),
  labels: required(LIST),
});

/** The parameters of the best epoch so far. */
interface Best {
  readonly crossEntropy: number;
  readonly weights: readonly Float32Array[];
}

/** Rows predicted at once. */
const PREDICT_ROWS = 8192;

/** Two tables whose inner product is a logit. */
export class MatrixFactorization {
  readonly queryTable: EmbeddingTable;
  readonly candidateTable: EmbeddingTable;
  readonly optimizer: SparseOptimizer;
  /** Undefined for a model without biases. */
  readonly biases: ClickBiases | undefined;

  /** @throws {ShapeError} when the tables' vectors differ in width */
  constructor(options: MatrixFactorizationOptions) {
    const { queryTable, candidateTable, optimizer = new Adagrad(), biases = false } = checkOptions(options);
    if (queryTable.dimensions !== candidateTable.dimensions) {
      const [q, c] = [queryTable.dimensions, candidateTable.dimensions];
      throw new ShapeError(`tables: expected vectors of one width, got ${q} and ${c}`);
    }
    this.queryTable = queryTable;
    this.candidateTable = candidateTable;
    this.biases = biases
      ? new ClickBiases(queryTable.vocabularySize, candidateTable.vocabularySize, queryTable.trained()[0]!.runtime)
      : undefined;
    this.optimizer = boundOptimizer(optimizer, [
      ...this.#tables().map(
        ({ name, table }) => ({ kind: 'tables', names: [name], matrices: table.trained() }) as const,
      ),
      ...(this.biases ? [{ kind: 'tables', names: ['biases'], matrices: this.biases.trained() } as const] : []),
    ]);
  }

  /**
   * Train.
   *
   * @throws {ShapeError} when there are no rows or columns differ in length
   * @throws {DivergedError} naming the epoch and step whose loss was not finite; the step is not taken
   * @throws {AbortedError} when the signal is raised
   * @throws {StateError} when something else works on one of the tables
   */
  async fit(clicks: Clicks, options: ClickFitOptions = {}): Promise<ClickEpoch[]> {
    const { validation, restoreBestWeights = false, clusterings } = checkFit(options);
    if (restoreBestWeights && (!validation || clusterings)) {
      const got = validation ? 'one with clusterings' : 'none';
      throw new OptionError(`restoreBestWeights: expected a fit with validation and without clusterings, got ${got}`);
    }
    if (validation) checkClicks(validation);
    const tables = [this.queryTable, this.candidateTable];
    return exclusively('fit', tables, () => this.#fit(clicks, options));
  }

  async #fit(clicks: Clicks, options: ClickFitOptions): Promise<ClickEpoch[]> {
    const { epochs = 1, batchSize = 512, seed = 42, validation, clusterings, signal, clock = systemClock } = options;
    const { restoreBestWeights = false } = options;
    checkInteger('epochs', epochs, 0);
    checkInteger('batchSize', batchSize, 1);
    const rows = checkClicks(clicks);
    this.biases?.adapt(clicks.labels);
    let best: Best | undefined;
    const steps = Math.ceil(rows / batchSize);
    const due = clusterings ? clusterSteps(clusterings, steps, epochs) : [];
    const pauses = new Pauses(clock);
    const history: ClickEpoch[] = [];
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const start = clock();
      const order = new Generator(seed).fork('shuffle', epoch).permutation(rows);
      const record: ClickEpoch = { epoch, crossEntropy: 0, clusterings: [], seconds: 0 };
      for (let step = 1; step <= steps; step++) {
        throwIfAborted('fit', signal);
        const batch = takeClicks(clicks, order.subarray((step - 1) * batchSize, step * batchSize));
        const loss = this.step(batch, (epoch - 1) * steps + step - 1);
        if (!Number.isFinite(loss)) {
          throw new DivergedError(`loss: expected a finite number, got ${loss} at epoch ${epoch}, step ${step}`);
        }
        record.crossEntropy += loss / rows;
        const at = due.indexOf((epoch - 1) * steps + step);
        if (at >= 0) {
          const moment = { epoch, step, isLast: at === due.length - 1, optimizer: this.optimizer, signal, clock };
          const records = await clusterTables(this.#tables(), clusterings!, moment);
          record.clusterings.push(...records);
          for (const each of records) options.onCluster?.(each);
        }
        await pauses.pause();
      }
      if (validation) {
        record.validation = this.evaluate(validation);
        const { crossEntropy: loss } = record.validation;
        if (restoreBestWeights && !(loss >= (best?.crossEntropy ?? Number.POSITIVE_INFINITY))) {
          best = { crossEntropy: loss, weights: this.#trained().map(({ data }) => data.slice()) };
        }
      }
      record.seconds = (clock() - start) / 1000;
      history.push(record);
      await options.onEpochEnd?.(record);
    }
    best?.weights.forEach((weights, i) => {
      this.#trained()[i]!.data.set(weights);
    });
    return history;
  }

  /**
   * One step on a batch; Σ cross-entropy before it. A loss that is not finite changes nothing.
   *
   * @param trainingStep the number of the step, from which a learning rate with a schedule follows
   */
  step(clicks: Clicks, trainingStep = 0): number {
    checkClicks(clicks);
    const { queries, candidates, labels } = clicks;
    const [q, c] = [this.#gather(this.queryTable, queries), this.#gather(this.candidateTable, candidates)];
    const d = q.vectors.dimensions;
    const [u, v, du, dv] = [q.vectors.data, c.vectors.data, q.gradients.data.fill(0), c.gradients.data.fill(0)];
    const slopes = new Float64Array(labels.length);
    let loss = 0;
    for (let i = 0; i < labels.length; i++) {
      const a = q.groupOf[i]! * d;
      const b = c.groupOf[i]! * d;
      let z = this.biases?.of(queries[i]!, candidates[i]!) ?? 0;
      for (let t = 0; t < d; t++) z += u[a + t]! * v[b + t]!;
      loss += crossEntropy(z, labels[i]!);
      const slope = 1 / (1 + Math.exp(-z)) - labels[i]!;
      slopes[i] = slope;
      for (let t = 0; t < d; t++) {
        du[a + t] = du[a + t]! + slope * v[b + t]!;
        dv[b + t] = dv[b + t]! + slope * u[a + t]!;
      }
    }
    if (Number.isFinite(loss)) {
      this.optimizer.beginStep(trainingStep);
      this.queryTable.applyGradient(q.ids, q.gradients, this.optimizer);
      this.candidateTable.applyGradient(c.ids, c.gradients, this.optimizer);
      this.biases?.step(queries, candidates, slopes, this.optimizer);
      this.optimizer.endStep();
    }
    for (const each of [q, c]) {
      each.vectors.free();
      each.gradients.free();
    }
    return loss;
  }

  /** Logits of pairs. */
  predict(queries: Int32Array, candidates: Int32Array): Float32Array {
    checkArgument('queries', queries, IDS);
    checkArgument('candidates', candidates, IDS);
    if (candidates.length !== queries.length) {
      throw new ShapeError(`candidates: expected ${queries.length}, one per query, got ${candidates.length}`);
    }
    const logits = new Float32Array(queries.length);
    for (let first = 0; first < queries.length; first += PREDICT_ROWS) {
      const u = gathered(this.queryTable, queries.subarray(first, first + PREDICT_ROWS));
      const v = gathered(this.candidateTable, candidates.subarray(first, first + PREDICT_ROWS));
      const d = u.dimensions;
      const [a, b] = [u.data, v.data];
      for (let i = 0; i < u.rows; i++) {
        let z = this.biases?.of(queries[first + i]!, candidates[first + i]!) ?? 0;
        for (let t = i * d; t < (i + 1) * d; t++) z += a[t]! * b[t]!;
        logits[first + i] = z;
      }
      u.free();
      v.free();
    }
    return logits;
  }

  /** Cross-entropy and AUC on labelled pairs. */
  evaluate(clicks: Clicks): ClickMetrics {
    checkClicks(clicks);
    return clickMetrics(this.predict(clicks.queries, clicks.candidates), clicks.labels);
  }

  #gather(
    table: EmbeddingTable,
    all: Int32Array,
  ): { ids: Int32Array; groupOf: Int32Array; vectors: Matrix; gradients: Matrix } {
    const { first, groupOf } = distinctFeatures([{ kind: 'ids', ids: all }], all.length);
    const ids = first.map((row) => all[row]!);
    const vectors = gathered(table, ids);
    return { ids, groupOf, vectors, gradients: new Matrix(vectors.rows, vectors.dimensions, vectors.runtime) };
  }

  #trained(): Matrix[] {
    return [...this.#tables().flatMap(({ table }) => table.trained()), ...(this.biases?.trained() ?? [])];
  }

  #tables(): NamedTable[] {
    return [
      { name: 'queryTable', table: this.queryTable },
      { name: 'candidateTable', table: this.candidateTable },
    ];
  }
}

function gathered(table: EmbeddingTable, ids: Int32Array): Matrix {
  const vectors = new Matrix(ids.length, table.dimensions, table.trained()[0]!.runtime);
  table.rows(ids, vectors);
  return vectors;
}

function checkClicks(clicks: Clicks): number {
  const { queries, candidates, labels } = checkColumns(clicks);
  const rows = labels.length;
  if (rows === 0 || queries.length !== rows || candidates.length !== rows) {
    const got = `${queries.length} queries, ${candidates.length} candidates, ${rows} labels`;
    throw new ShapeError(`clicks: expected columns of one length and at least one row, got ${got}`);
  }
  return rows;
}

function takeClicks({ queries, candidates, labels }: Clicks, rows: Int32Array): Clicks {
  return {
    queries: Int32Array.from(rows, (row) => queries[row]!),
    candidates: Int32Array.from(rows, (row) => candidates[row]!),
    labels: Uint8Array.from(rows, (row) => labels[row]!),
  };
}
