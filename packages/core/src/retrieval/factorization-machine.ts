/**
 * Click prediction from several columns of ids by a factorization machine: a bias and a vector for each id, and the products of
 * the vectors of each two columns.
 *
 *   z = μ + Σ_c b_c(i_c) + Σ_{c < e} ⟨v_c, v_e⟩,   Σ_{c < e} ⟨v_c, v_e⟩ = (|S|² − Σ_c |v_c|²) / 2,   S = Σ_c v_c
 *   loss = Σ_rows log(1 + e^z) − y·z;   ∂loss/∂v_c = (σ(z) − y)·(S − v_c)
 *
 * v_c and b_c are the vector and the bias of the row's id in column c, y its label. μ is the logit of the share of clicks in
 * the training rows: a row of ids that no row had is predicted nearly as the mean, because biases begin at 0 and vectors are
 * small. With two columns it is `MatrixFactorization` with biases. Source: Rendle, "Factorization Machines", ICDM 2010,
 * equations 1 and 5.
 */
import { checkArgument } from '../checks/arguments.ts';
import { LIST, OBJECT, objectWith, optionsCheck, required } from '../checks/options.ts';
import type { EmbeddingTable } from '../embeddings/contract.ts';
import { checkIds, IDS } from '../embeddings/ids.ts';
import { exclusively } from '../embeddings/table-lock.ts';
import { OptionError, ShapeError } from '../errors/errors.ts';
import { type ClickMetrics, clickMetrics, crossEntropy } from '../metrics/click-metrics.ts';
import { Adagrad } from '../optimizers/adagrad.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { boundOptimizer, type OptimizerOption } from '../optimizers/parameter-groups.ts';
import { distinctFeatures } from '../towers/distinct-features.ts';
import { Matrix } from '../vectors/matrix.ts';
import { logitOfMean, stepBiases } from './click-biases.ts';
import { CLICK_FIT, type ClickEpoch, type ClickFitOptions, fitClicks } from './click-training.ts';
import type { NamedTable } from './cluster-schedule.ts';

/** Labelled rows of several columns of ids. */
export interface LabelledIds {
  /** [columns][N] the ids of each column. */
  columns: readonly Int32Array[];
  /** [N] 1 for a click, 0 for none. */
  labels: Uint8Array;
}

/** Parts of a factorization machine. */
export interface FactorizationMachineOptions {
  /** [columns] the table of each column, all of one width. */
  tables: readonly EmbeddingTable[];
  /** An optimizer, or its description in plain JSON; default: Adagrad with a learning rate of 0.1. */
  optimizer?: OptimizerOption;
}

const TABLE = objectWith('an embedding table', 'rows', 'applyGradient');
const checkOptions = optionsCheck<FactorizationMachineOptions>('FactorizationMachine', {
  tables: required(LIST),
  optimizer: OBJECT,
});
const checkFit = optionsCheck<ClickFitOptions<LabelledIds>>('FactorizationMachine.fit', CLICK_FIT);
const checkRows = optionsCheck<LabelledIds>('rows', { columns: required(LIST), labels: required(LIST) });

/** Rows predicted at once. */
const PREDICT_ROWS = 8192;

/** The distinct ids of a column in a batch, and their vectors. */
interface Gathered {
  ids: Int32Array;
  /** [rows] the place of each row's id in `ids`. */
  groupOf: Int32Array;
  vectors: Matrix;
}

/** A factorization machine of columns of ids. */
export class FactorizationMachine {
  readonly tables: readonly EmbeddingTable[];
  /** [columns] the biases [ids, 1] of each column. */
  readonly biases: readonly Matrix[];
  readonly optimizer: SparseOptimizer;
  /** μ; 0 before a fit. */
  mean = 0;

  /**
   * @throws {OptionError} when there are fewer than two tables, or one is there twice
   * @throws {ShapeError} when their vectors differ in width
   */
  constructor(options: FactorizationMachineOptions) {
    const { tables, optimizer = new Adagrad() } = checkOptions(options);
    for (const table of tables) checkArgument('tables', table, TABLE);
    const distinct = new Set(tables).size;
    if (distinct < 2 || distinct < tables.length) {
      throw new OptionError(`tables: expected two or more different ones, got ${tables.length}, ${distinct} different`);
    }
    const widths = tables.map(({ dimensions }) => dimensions);
    if (widths.some((width) => width !== widths[0])) {
      throw new ShapeError(`tables: expected vectors of one width, got ${widths.join(', ')}`);
    }
    this.tables = tables;
    this.biases = tables.map((table) => new Matrix(table.vocabularySize, 1, table.trained()[0]!.runtime));
    this.optimizer = boundOptimizer(optimizer, [
      ...this.#named().map(
        ({ name, table }) => ({ kind: 'tables', names: [name], matrices: table.trained() }) as const,
      ),
      { kind: 'tables', names: ['biases'], matrices: [...this.biases] },
    ]);
  }

  /**
   * Train. With `validation`, `restoreBestWeights` is true by default: the model ends with its best epoch.
   *
   * @throws {ShapeError} when there are no rows or columns differ in length
   * @throws {DivergedError} naming the epoch and step whose loss was not finite; the step is not taken
   * @throws {AbortedError} when the signal is raised
   * @throws {StateError} when something else works on one of the tables
   */
  async fit(rows: LabelledIds, options: ClickFitOptions<LabelledIds> = {}): Promise<ClickEpoch[]> {
    const { validation } = checkFit(options);
    const count = this.#check(rows);
    if (validation) this.#check(validation);
    const model = {
      optimizer: this.optimizer,
      tables: this.#named(),
      others: this.biases,
      step: (batch: LabelledIds, trainingStep: number) => this.step(batch, trainingStep),
      evaluate: (held: LabelledIds) => this.evaluate(held),
    };
    const how = { restoreBestWeights: validation !== undefined, ...options };
    return exclusively('fit', [...this.tables], () =>
      fitClicks(model, { count, take: (taken) => takeRows(rows, taken) }, how, () => {
        this.mean = logitOfMean(rows.labels);
      }),
    );
  }

  /**
   * One step on a batch; Σ cross-entropy before it. A loss that is not finite changes nothing.
   *
   * @param trainingStep the number of the step, from which a learning rate with a schedule follows
   */
  step(rows: LabelledIds, trainingStep = 0): number {
    const count = this.#check(rows);
    const { labels } = rows;
    const gathered = rows.columns.map((ids, c) => gather(this.tables[c]!, ids));
    const gradients = gathered.map(({ vectors }) => new Matrix(vectors.rows, vectors.dimensions, vectors.runtime));
    const d = this.tables[0]!.dimensions;
    const slopes = new Float64Array(count);
    const sum = new Float64Array(d);
    let loss = 0;
    for (let i = 0; i < count; i++) {
      const z = this.#logit(rows.columns, gathered, i, i, sum);
      loss += crossEntropy(z, labels[i]!);
      const slope = 1 / (1 + Math.exp(-z)) - labels[i]!;
      slopes[i] = slope;
      gathered.forEach(({ vectors: { data }, groupOf }, c) => {
        const into = gradients[c]!.data;
        const at = groupOf[i]! * d;
        for (let t = 0; t < d; t++) into[at + t] = into[at + t]! + slope * (sum[t]! - data[at + t]!);
      });
    }
    if (Number.isFinite(loss)) {
      this.optimizer.beginStep(trainingStep);
      gathered.forEach(({ ids }, c) => {
        this.tables[c]!.applyGradient(ids, gradients[c]!, this.optimizer);
        stepBiases(this.biases[c]!, rows.columns[c]!, slopes, this.optimizer);
      });
      this.optimizer.endStep();
    }
    for (const { vectors } of gathered) vectors.free();
    for (const gradient of gradients) gradient.free();
    return loss;
  }

  /** Logits of rows. @throws {ShapeError} when there is not one column per table, or they differ in length */
  predict(columns: readonly Int32Array[]): Float32Array {
    checkArgument('columns', columns, LIST);
    const count = this.#checkColumns(columns);
    const logits = new Float32Array(count);
    const sum = new Float64Array(this.tables[0]!.dimensions);
    for (let first = 0; first < count; first += PREDICT_ROWS) {
      const parts = columns.map((ids) => ids.subarray(first, first + PREDICT_ROWS));
      const gathered = parts.map((ids, c) => gather(this.tables[c]!, ids));
      for (let i = 0; i < parts[0]!.length; i++) logits[first + i] = this.#logit(columns, gathered, first + i, i, sum);
      for (const { vectors } of gathered) vectors.free();
    }
    return logits;
  }

  /** Cross-entropy and AUC on labelled rows. */
  evaluate(rows: LabelledIds): ClickMetrics {
    this.#check(rows);
    return clickMetrics(this.predict(rows.columns), rows.labels);
  }

  /** z of a row, which is row `i` of the gathered ones; writes S to `sum`. */
  #logit(
    columns: readonly Int32Array[],
    gathered: readonly Gathered[],
    row: number,
    i: number,
    sum: Float64Array,
  ): number {
    const d = sum.length;
    sum.fill(0);
    let z = this.mean;
    let squares = 0;
    for (let c = 0; c < gathered.length; c++) {
      z += this.biases[c]!.data[columns[c]![row]!]!;
      const { vectors, groupOf } = gathered[c]!;
      const at = groupOf[i]! * d;
      for (let t = 0; t < d; t++) {
        const value = vectors.data[at + t]!;
        sum[t] = sum[t]! + value;
        squares += value * value;
      }
    }
    let whole = 0;
    for (let t = 0; t < d; t++) whole += sum[t]! * sum[t]!;
    return z + (whole - squares) / 2;
  }

  #check(rows: LabelledIds): number {
    const { columns, labels } = checkRows(rows);
    const count = this.#checkColumns(columns);
    if (labels.length === count && count > 0) return count;
    throw new ShapeError(
      `rows: expected columns of one length and at least one row, got ${count} ids, ${labels.length} labels`,
    );
  }

  #checkColumns(columns: readonly Int32Array[]): number {
    if (columns.length !== this.tables.length) {
      throw new ShapeError(`columns: expected ${this.tables.length}, one per table, got ${columns.length}`);
    }
    columns.forEach((ids, c) => {
      checkArgument(`columns[${c}]`, ids, IDS);
      checkIds(ids, this.tables[c]!.vocabularySize);
    });
    const lengths = columns.map(({ length }) => length);
    if (lengths.every((length) => length === lengths[0])) return lengths[0]!;
    throw new ShapeError(`columns: expected columns of one length, got ${lengths.join(', ')}`);
  }

  #named(): NamedTable[] {
    return this.tables.map((table, c) => ({ name: `tables[${c}]`, table }));
  }
}

function gather(table: EmbeddingTable, all: Int32Array): Gathered {
  const { first, groupOf } = distinctFeatures([{ kind: 'ids', ids: all }], all.length);
  const ids = first.map((row) => all[row]!);
  const vectors = new Matrix(ids.length, table.dimensions, table.trained()[0]!.runtime);
  table.rows(ids, vectors);
  return { ids, groupOf, vectors };
}

function takeRows({ columns, labels }: LabelledIds, rows: Int32Array): LabelledIds {
  return {
    columns: columns.map((ids) => rows.map((row) => ids[row]!)),
    labels: new Uint8Array(rows.map((row) => labels[row]!)),
  };
}
