/**
 * The result of a top-k call: a struct of arrays, so that a batch of thousands of queries costs three allocations.
 *
 * Layout: scores and rows are [queries, k] row-major; of row b only the first `counts[b]` entries are results. Nothing
 * after them is a result: fewer candidates than k means a shorter list, never a padded one.
 */
import type { Identifier } from './identifiers.ts';

/** One result. */
export interface Hit<I extends Identifier> {
  identifier: I;
  score: number;
}

/** Scores, candidate rows and identifiers of a batch of queries. */
export class TopKResult<I extends Identifier> {
  /** The number of queries. */
  readonly queries: number;
  /** Columns of `scores` and `rows`. */
  readonly k: number;
  /** [queries] results of each query, 0 … k. */
  readonly counts: Int32Array;
  /** [queries, k] scores, best first. */
  readonly scores: Float32Array;
  /** [queries, k] candidate rows. */
  readonly rows: Int32Array;
  readonly #identifierOf: (row: number) => I;

  constructor(k: number, counts: Int32Array, scores: Float32Array, rows: Int32Array, identifierOf: (row: number) => I) {
    this.queries = counts.length;
    this.k = k;
    this.counts = counts;
    this.scores = scores;
    this.rows = rows;
    this.#identifierOf = identifierOf;
  }

  /** The identifier of a candidate row. */
  identifierOf(row: number): I {
    return this.#identifierOf(row);
  }

  /** Identifiers of query b, best first; as many as were found. */
  identifiers(query = 0): I[] {
    const found: I[] = new Array(this.counts[query]!);
    for (let i = 0; i < found.length; i++) found[i] = this.#identifierOf(this.rows[query * this.k + i]!);
    return found;
  }

  /** Scores of query b as a view. */
  scoresOf(query = 0): Float32Array {
    return this.scores.subarray(query * this.k, query * this.k + this.counts[query]!);
  }

  /** Candidate rows of query b as a view. */
  rowsOf(query = 0): Int32Array {
    return this.rows.subarray(query * this.k, query * this.k + this.counts[query]!);
  }

  /** Identifiers and scores of query b. */
  hits(query = 0): Hit<I>[] {
    const scores = this.scoresOf(query);
    return this.identifiers(query).map((identifier, i) => ({ identifier, score: scores[i]! }));
  }
}
