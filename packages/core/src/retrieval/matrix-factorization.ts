/**
 * Click prediction by matrix factorisation: σ(⟨u, v⟩) of two embedding tables, trained on binary cross-entropy.
 *
 *   loss = Σ_rows log(1 + e^z) − y·z,   z = ⟨u_i, v_j⟩ (with biases: + b_i + c_j + μ);   ∂loss/∂u = (σ(z) − y)·v
 *
 * The task of the CCE paper's MovieLens runs (generalised matrix factorisation without weights), which TFRS trains as
 * `tasks.Ranking`. Ids are integers: no vocabulary, so that tens of millions of them cost nothing but their table.
 */

import { checkArgument } from '../checks/arguments.ts';
import { BOOLEAN, LIST, OBJECT, objectWith, optionsCheck, required } from '../checks/options.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { IDS } from '../embeddings/ids.ts';
import { exclusively } from '../embeddings/table-lock.ts';
import { ShapeError } from '../errors/errors.ts';
import { type ClickMetrics, clickMetrics, crossEntropy } from '../metrics/click-metrics.ts';
import { Adagrad } from '../optimizers/adagrad.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { boundOptimizer, type OptimizerOption } from '../optimizers/parameter-groups.ts';
import { distinctFeatures } from '../towers/distinct-features.ts';
import { Matrix } from '../vectors/matrix.ts';
import { ClickBiases } from './click-biases.ts';
import { CLICK_FIT, type ClickEpoch, type ClickFitOptions, type Clicks, fitClicks } from './click-training.ts';
import type { NamedTable } from './cluster-schedule.ts';

/** Parts of a model. */
export interface MatrixFactorizationOptions {
  queryTable: EmbeddingTable;
  candidateTable: EmbeddingTable;
  /** An optimizer, or its description in plain JSON; default: Adagrad with a learning rate of 0.1. */
  optimizer?: OptimizerOption;
  /** Add a bias for each id and the logit of the share of clicks to z (click-biases.ts); default false. */
  biases?: boolean;
}

const TABLE = objectWith('an embedding table', 'rows', 'applyGradient');
const checkOptions = optionsCheck<MatrixFactorizationOptions>('MatrixFactorization', {
  queryTable: required(TABLE),
  candidateTable: required(TABLE),
  optimizer: OBJECT,
  biases: BOOLEAN,
});
const checkFit = optionsCheck<ClickFitOptions>('MatrixFactorization.fit', CLICK_FIT);
const checkColumns = optionsCheck<Clicks>('clicks', {
  queries: required(LIST),
  candidates: required(LIST),
  labels: required(LIST),
});

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
    const { validation } = checkFit(options);
    if (validation) checkClicks(validation);
    const tables = [this.queryTable, this.candidateTable];
    const { optimizer } = this;
    const model = {
      optimizer,
      tables: this.#tables(),
      others: this.biases?.trained() ?? [],
      step: (batch: Clicks, trainingStep: number) => this.step(batch, trainingStep),
      evaluate: (rows: Clicks) => this.evaluate(rows),
    };
    return exclusively('fit', tables, () => {
      const count = checkClicks(clicks);
      return fitClicks(model, { count, take: (rows) => takeClicks(clicks, rows) }, options, () =>
        this.biases?.adapt(clicks.labels),
      );
    });
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
    queries: rows.map((row) => queries[row]!),
    candidates: rows.map((row) => candidates[row]!),
    labels: new Uint8Array(rows.map((row) => labels[row]!)),
  };
}
