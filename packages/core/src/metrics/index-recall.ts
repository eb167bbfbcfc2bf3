/**
 * Recall of an approximate index against exact search, on a sample of the queries of a metric. It tells how much of a
 * metric measured through the index is lost by the index and not by the model.
 *
 *   recall@k = Σ |approximate top k ∩ exact top k| / Σ |exact top k|
 */
import { checkInteger } from '../checks/numbers.ts';
import { type Identifier, isApproximate, type TopK } from '../topk/contract.ts';
import { sharedRows } from '../topk/recall.ts';
import type { TopKResult } from '../topk/result.ts';
import { Matrix } from '../vectors/matrix.ts';

/** Recall of one index, summed over updates until the sample is full. */
export class IndexRecall<I extends Identifier> {
  readonly #ks: readonly number[];
  readonly #sampleSize: number;
  readonly #shared: Float64Array;
  readonly #wanted: Float64Array;
  #queries = 0;

  /** @throws {OptionError} when the sample size is not an integer of at least 0 */
  constructor(ks: readonly number[], sampleSize: number) {
    this.#ks = ks;
    this.#sampleSize = checkInteger('recallSampleSize', sampleSize, 0);
    this.#shared = new Float64Array(ks.length);
    this.#wanted = new Float64Array(ks.length);
  }

  /** Number of queries compared with exact search so far. */
  get queries(): number {
    return this.#queries;
  }

  /** Compare `found`, the index's answer to `queries`, with the exact one on rows evenly spread over them. */
  add(index: TopK<never, I>, queries: Matrix, found: TopKResult<I>): void {
    const size = Math.min(this.#sampleSize - this.#queries, queries.rows);
    if (size <= 0 || !isApproximate(index)) return;
    const chosen = Array.from({ length: size }, (_, i) => Math.floor((i * queries.rows) / size));
    const sample = new Matrix(size, queries.dimensions, queries.runtime);
    try {
      chosen.forEach((row, i) => {
        sample.row(i).set(queries.row(row));
      });
      const exact = index.callExactly(sample, Math.max(...this.#ks));
      chosen.forEach((row, i) => {
        this.#count(found.rowsOf(row), exact.rowsOf(i));
      });
    } finally {
      sample.free();
    }
    this.#queries += size;
  }

  /** Recall at each k; empty where nothing was compared. */
  result(): number[] {
    if (this.#queries === 0) return [];
    return this.#ks.map((_, i) => (this.#wanted[i]! > 0 ? this.#shared[i]! / this.#wanted[i]! : 1));
  }

  /** Set all counts to zero. */
  reset(): void {
    this.#shared.fill(0);
    this.#wanted.fill(0);
    this.#queries = 0;
  }

  #count(found: Int32Array, exact: Int32Array): void {
    this.#ks.forEach((k, i) => {
      const wanted = exact.subarray(0, k);
      this.#shared[i]! += sharedRows(found.subarray(0, k), wanted);
      this.#wanted[i]! += wanted.length;
    });
  }
}
