/**
 * In-batch softmax cross-entropy row by row: what needs every pair of the batch, in TFRS's order of operations.
 *
 *   1 scores, the best of the query's heads   2 divide by temperature   3 subtract log sampling probability
 *   4 leave out accidental hits   5 leave out masked pairs   6 keep the hardest negatives   7 softmax   8 batch metrics
 *
 * Left-out logits are −Infinity, so that their probability and gradient are exactly 0. Rows go through in tiles of at most
 * TILE_BYTES. Source: TFRS `tasks/retrieval.py`, `layers/loss.py`. Letters: B rows, n columns, M distinct candidates.
 */
import type { Block } from '../memory/heap.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { logCorrection, type RetrievalBatch, type RetrievalGradient } from './batch.ts';
import { countAbove, leaveOut } from './left-out.ts';

/** Logits held at once, of each of the two forms (by distinct candidate, by column). */
const TILE_BYTES = 16 * 2 ** 20;
const GRAIN_ROWS = 8;
const PANEL = 8;

/** What the task asks of this path. */
export interface GeneralLossOptions {
  temperature: number;
  removeAccidentalHits: boolean;
  /** Negatives kept a row; undefined keeps all. */
  numHardNegatives: number | undefined;
  /** k of in-batch top-k accuracies. */
  batchMetrics: readonly number[];
  /** Factor of the gradients. */
  factor: number;
}

/** Weighted hits of in-batch metrics, in the order asked. */
export interface BatchHits {
  hits: number[];
  weight: number;
}

/** Loss, gradients and batch metrics over all pairs of a batch. */
export function generalLoss(
  batch: RetrievalBatch,
  options: GeneralLossOptions,
  runtime: Runtime,
): RetrievalGradient & BatchHits {
  const pairs = new PairTiles(batch, options, runtime);
  try {
    for (let first = 0; first < batch.queryOf.length; first += pairs.tileRows) pairs.takeTile(first);
    return pairs.result();
  } finally {
    pairs.free();
  }
}

/** The state of one batch: its sums so far and the memory of one tile. */
class PairTiles {
  readonly tileRows: number;
  readonly #batch: RetrievalBatch;
  readonly #options: GeneralLossOptions;
  readonly #runtime: Runtime;
  readonly #heads: number;
  /** Columns of the two forms, rounded up to whole panels. */
  readonly #columns: number;
  readonly #distinct: number;
  readonly #packed: Matrix;
  /** [tile · heads, d] queries, their scores [.., distinct], later the gradients of the scores, and of the queries. */
  readonly #queries: Matrix;
  readonly #scores: Matrix;
  readonly #gradients: Matrix;
  /** [tile, columns] */
  readonly #logits: Matrix;
  /** What the softmax kernel reads of rows and columns, and its results. */
  readonly #weights: Matrix;
  readonly #pairs: Block;
  readonly #results: Block;
  readonly #columnWeights: Matrix;
  /** [tile, n] the head that won each pair. */
  readonly #head: Uint8Array;
  readonly #queryGradients: Matrix;
  readonly #candidateGradients: Matrix;
  readonly #hits: number[];
  #weight = 0;
  #loss = 0;

  constructor(batch: RetrievalBatch, options: GeneralLossOptions, runtime: Runtime) {
    const { queries, candidates, queryOf, candidateOf, heads = 1 } = batch;
    const d = queries.dimensions;
    this.#batch = batch;
    this.#options = options;
    this.#runtime = runtime;
    this.#heads = heads;
    this.#distinct = Math.ceil(candidates.rows / PANEL) * PANEL;
    this.#columns = Math.ceil(candidateOf.length / PANEL) * PANEL;
    const widest = Math.max(this.#columns, heads * this.#distinct);
    this.tileRows = Math.max(1, Math.min(queryOf.length, Math.floor(TILE_BYTES / (4 * widest))));
    const rows = this.tileRows * heads;
    this.#packed = new Matrix(this.#distinct, d, runtime);
    this.#queries = new Matrix(rows, d, runtime);
    this.#scores = new Matrix(rows, this.#distinct, runtime);
    this.#gradients = new Matrix(rows, d, runtime);
    this.#logits = new Matrix(this.tileRows, this.#columns, runtime);
    this.#weights = new Matrix(1, this.tileRows, runtime);
    this.#pairs = runtime.heap.allocate(4 * (2 * this.tileRows + 1));
    this.#results = runtime.heap.allocate(24 * this.tileRows);
    this.#columnWeights = new Matrix(1, this.#columns, runtime);
    this.#columnWeights.data.fill(1, 0, candidateOf.length);
    this.#head = new Uint8Array(heads > 1 ? this.tileRows * candidateOf.length : 0);
    this.#queryGradients = new Matrix(queries.rows, d, runtime);
    this.#candidateGradients = new Matrix(candidates.rows, d, runtime);
    this.#hits = options.batchMetrics.map(() => 0);
    runtime.pool.run(
      'packPanels',
      this.#distinct / PANEL,
      PANEL,
      candidates.offset,
      candidates.rows,
      d,
      this.#packed.offset,
    );
    // Row r of a tile has one pair, number r.
    const starts = this.#pairs.integers(this.tileRows + 1);
    for (let r = 0; r <= this.tileRows; r++) starts[r] = r;
  }

  /** Add the rows from `first` on, a tile of them. */
  takeTile(first: number): void {
    const count = Math.min(this.tileRows, this.#batch.queryOf.length - first);
    this.#score(first, count);
    for (let r = 0; r < count; r++) this.#prepareRow(first + r, r);
    this.#softmax(count);
    this.#spreadGradients(count);
    this.#addProducts(first, count);
  }

  /** The sums over all tiles. */
  result(): RetrievalGradient & BatchHits {
    return {
      loss: this.#loss / this.#options.factor,
      queryGradients: this.#queryGradients,
      candidateGradients: this.#candidateGradients,
      hits: this.#hits,
      weight: this.#weight,
    };
  }

  /** Give back all but the gradients. */
  free(): void {
    const own = [this.#packed, this.#queries, this.#scores, this.#gradients, this.#logits, this.#weights];
    for (const each of [...own, this.#columnWeights, this.#pairs, this.#results]) each.free();
  }

  /** The query vector of row r of a tile, head by head. */
  #queryRow(first: number, r: number): number {
    return this.#batch.queryOf[first + Math.floor(r / this.#heads)]! * this.#heads + (r % this.#heads);
  }

  #score(first: number, count: number): void {
    const { queries } = this.#batch;
    const [rows, d, distinct] = [count * this.#heads, queries.dimensions, this.#distinct];
    const to = this.#queries.data;
    for (let r = 0; r < rows; r++) to.set(queries.row(this.#queryRow(first, r)), r * d);
    const { offset } = this.#scores;
    this.#runtime.kernels.scorePanels(
      this.#queries.offset,
      0,
      rows,
      d,
      this.#packed.offset,
      0,
      distinct / PANEL,
      offset,
      distinct,
    );
  }

  /** Logits of row `row`, the r-th of the tile: steps 1 to 6, and its part of the metrics. */
  #prepareRow(row: number, r: number): void {
    const { candidateOf, candidateSamplingProbability, sampleWeight } = this.#batch;
    const { temperature, factor, batchMetrics } = this.#options;
    const [heads, distinct, n] = [this.#heads, this.#distinct, candidateOf.length];
    const scores = this.#scores.data;
    const logits = this.#logits.row(r).fill(0).subarray(0, n);
    for (let j = 0; j < n; j++) {
      const at = r * heads * distinct + candidateOf[j]!;
      let best = 0;
      for (let h = 1; h < heads; h++) if (scores[at + h * distinct]! > scores[at + best * distinct]!) best = h;
      if (heads > 1) this.#head[r * n + j] = best;
      logits[j] = scores[at + best * distinct]! / temperature - logCorrection(candidateSamplingProbability, j);
    }
    leaveOut(logits, row, this.#batch, this.#options);
    const weight = sampleWeight ? sampleWeight[row]! : 1;
    this.#weights.data[r] = weight * factor;
    this.#pairs.integers(this.tileRows, 4 * (this.tileRows + 1))[r] = row;
    const harder = batchMetrics.length > 0 ? countAbove(logits, logits[row]!) : 0;
    batchMetrics.forEach((k, i) => {
      if (harder < k) this.#hits[i] = this.#hits[i]! + weight;
    });
    this.#weight += weight;
  }

  #softmax(count: number): void {
    const [weights, pairs] = [this.#weights, this.#pairs];
    this.#runtime.pool.run(
      'softmaxLogits',
      count,
      GRAIN_ROWS,
      this.#logits.offset,
      this.#columns,
      weights.offset,
      this.#columnWeights.offset,
      pairs.offset,
      pairs.offset + 4 * (this.tileRows + 1),
      weights.offset,
      this.#results.offset,
    );
    const { buffer } = this.#runtime.heap.memory.memory;
    const results = new Float64Array(buffer, this.#results.offset, 3 * count);
    const weight = weights.data;
    for (let r = 0; r < count; r++) {
      this.#loss += weight[r]! * (results[3 * r]! + Math.log(results[3 * r + 1]!)) - results[3 * r + 2]!;
    }
  }

  /** Gradients by column become gradients by distinct candidate and head, in place of the scores. */
  #spreadGradients(count: number): void {
    const { candidateOf } = this.#batch;
    const [heads, distinct, n] = [this.#heads, this.#distinct, candidateOf.length];
    const scores = this.#scores.data.fill(0);
    for (let r = 0; r < count; r++) {
      const gradients = this.#logits.row(r);
      for (let j = 0; j < n; j++) {
        const head = heads > 1 ? this.#head[r * n + j]! : 0;
        const at = (r * heads + head) * distinct + candidateOf[j]!;
        scores[at] = scores[at]! + gradients[j]! / this.#options.temperature;
      }
    }
  }

  #addProducts(first: number, count: number): void {
    const { candidates } = this.#batch;
    const [rows, d, distinct, m] = [count * this.#heads, candidates.dimensions, this.#distinct, candidates.rows];
    const { pool } = this.#runtime;
    const [scores, queries] = [this.#scores.offset, this.#queries.offset];
    pool.run('multiplyRows', rows, GRAIN_ROWS, scores, distinct, m, candidates.offset, d, this.#gradients.offset);
    const groups = Math.ceil(m / 4);
    const to = this.#candidateGradients.offset;
    pool.run('multiplyTransposed', groups, GRAIN_ROWS, scores, distinct, rows, m, queries, d, to);
    const [sums, parts] = [this.#queryGradients.data, this.#gradients.data];
    for (let r = 0; r < rows; r++) {
      const at = this.#queryRow(first, r) * d;
      for (let t = 0; t < d; t++) sums[at + t] = sums[at + t]! + parts[r * d + t]!;
    }
  }
}
