/**
 * In-batch softmax cross-entropy over distinct queries and candidates: exact, and B²/(U·M) times less work.
 *
 * The loss of row i is log Σ_j exp(s(q_i, c_j) − log p_j) − (s(q_i, c_i) − log p_i), s = ⟨q, c⟩ / temperature. Equal
 * candidates give equal terms, equal queries equal sums:
 *   w_m = Σ_{columns j of m} 1/p_j;   n_u = Σ_{rows i of u} weight_i;   Z_u = Σ_m w_m · exp(s(u, m))
 *   loss = Σ_u n_u · log Z_u − Σ_i weight_i · (s(q_i, c_i) − log p_i)
 *   ∂loss/∂s(u, m) = n_u · w_m · exp(s(u, m)) / Z_u − Σ_{rows i of (u, m)} weight_i
 * Rows of distinct queries go through in tiles, so that logits never take more than a fixed budget (logit-tile.ts); where nothing repeats
 * this is the plain loss. Results do not depend on the number of threads: tiles depend on shapes alone.
 */
import { Scratch } from '../memory/scratch.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { unfilledMatrix } from '../vectors/unfilled.ts';
import { logCorrection, type RetrievalBatch, type RetrievalGradient } from './batch.ts';
import { multiplyTile, tileRows } from './logit-tile.ts';
import { type SortedPairs, sortedPairsBytes, writeSortedPairs } from './sorted-pairs.ts';

/** Rows of a tile in a work item; a multiple of the four that the kernels take together. */
const GRAIN_ROWS = 16;
const PANEL = 8;

/** Weights and pairs of a batch, in the linear memory. */
interface Layout {
  rowWeights: number;
  columnWeights: number;
  pairs: SortedPairs;
  results: number;
}

/** Computes grouped losses; keeps its scratch between batches. */
export class GroupedLoss {
  readonly #runtime: Runtime;
  readonly #layout: Scratch;
  readonly #packed: Scratch;
  readonly #tile: Scratch;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#layout = new Scratch(runtime.heap);
    this.#packed = new Scratch(runtime.heap);
    this.#tile = new Scratch(runtime.heap);
  }

  /**
   * Loss Σ over rows, and gradients of factor · loss, for a batch without masks or identifiers.
   *
   * @param learn false: the loss alone, the gradients have no rows
   */
  compute(batch: RetrievalBatch, temperature: number, factor: number, learn: boolean): RetrievalGradient {
    const { queries, candidates } = batch;
    const pool = modelPool(this.#runtime);
    const [d, m] = [queries.dimensions, candidates.rows];
    const panels = Math.ceil(m / PANEL);
    const columns = panels * PANEL;
    const { layout, corrections } = this.#write(batch, columns, factor);
    const packed = this.#packed.reserve(4 * columns * d).offset;
    const tileQueries = Math.min(queries.rows, tileRows(columns, GRAIN_ROWS));
    const tile = this.#tile.reserve(4 * tileQueries * columns).offset;
    const gradients = {
      queryGradients: unfilledMatrix(learn ? queries.rows : 0, d, this.#runtime),
      candidateGradients: new Matrix(learn ? m : 0, d, this.#runtime),
    };
    pool.run('packPanels', panels, GRAIN_ROWS, candidates.offset, m, d, packed);
    for (let first = 0; first < queries.rows; first += tileQueries) {
      const rows = Math.min(tileQueries, queries.rows - first);
      pool.run('softmaxTile', rows, GRAIN_ROWS, {
        first,
        queries: queries.offset,
        d,
        packed,
        panels,
        scale: 1 / temperature,
        rowWeights: layout.rowWeights,
        columnWeights: layout.columnWeights,
        pairStarts: layout.pairs.starts,
        pairColumns: layout.pairs.columns,
        pairWeights: layout.pairs.weights,
        tile,
        results: layout.results + 24 * first,
      });
      if (learn) multiplyTile({ offset: tile, stride: columns, first, rows }, queries, candidates, gradients);
    }
    return { loss: this.#loss(layout, queries.rows) / factor + corrections, ...gradients };
  }

  /** Σ_u n_u · (max + log Z_u) − Σ pairs, from the kernel's results. */
  #loss(layout: Layout, queries: number): number {
    const { memory } = this.#runtime.heap.memory;
    const results = new Float64Array(memory.buffer, layout.results, 3 * queries);
    const weights = new Float32Array(memory.buffer, layout.rowWeights, queries);
    let loss = 0;
    for (let u = 0; u < queries; u++) {
      loss += weights[u]! * (results[3 * u]! + Math.log(results[3 * u + 1]!)) - results[3 * u + 2]!;
    }
    return loss;
  }

  /** Weights of distinct rows and columns, and the pairs sorted by query; Σ weight · log p of the positives. */
  #write(batch: RetrievalBatch, columns: number, factor: number): { layout: Layout; corrections: number } {
    const { queryOf, candidateOf, sampleWeight, candidateSamplingProbability } = batch;
    const queries = batch.queries.rows;
    const pairs = queryOf.length;
    // The float64 results stand first: everything after them needs only four-byte alignment.
    const results = this.#layout.reserve(
      24 * queries + 4 * (queries + columns) + sortedPairsBytes(queries, pairs),
    ).offset;
    const rowWeights = results + 24 * queries;
    const columnWeights = rowWeights + 4 * queries;
    const { buffer } = this.#runtime.heap.memory.memory;
    const rowWeight = new Float32Array(buffer, rowWeights, queries).fill(0);
    const columnWeight = new Float32Array(buffer, columnWeights, columns).fill(0);
    for (let j = 0; j < candidateOf.length; j++) {
      const inverse = Math.exp(-logCorrection(candidateSamplingProbability, j));
      columnWeight[candidateOf[j]!] = columnWeight[candidateOf[j]!]! + inverse;
    }
    let corrections = 0;
    for (let i = 0; i < pairs; i++) {
      const w = sampleWeight ? sampleWeight[i]! : 1;
      rowWeight[queryOf[i]!] = rowWeight[queryOf[i]!]! + w * factor;
      corrections += w * logCorrection(candidateSamplingProbability, i);
    }
    const columnsOfPairs = { queryOf, columnOf: candidateOf, sampleWeight, factor };
    const sorted = writeSortedPairs(buffer, columnWeights + 4 * columns, queries, columnsOfPairs);
    return { layout: { rowWeights, columnWeights, pairs: sorted, results }, corrections };
  }
}
