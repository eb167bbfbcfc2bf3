/**
 * The result of a top-k call: three arrays for all queries, so that a batch of thousands of queries needs only three
 * allocations.
 *
 * Layout: scores and rows are [queries, k] row-major. The results of query b are the first `counts[b]` entries of row
 * b; the entries after them have no meaning. A query with fewer than k candidates has a shorter list, which is not
 * padded.
 */

import { checkArgument, NUMBERS } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
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
  /** [queries] number of results of each query, 0 … k. */
  readonly counts: Int32Array;
  /** [queries, k] scores, best first. */
  readonly scores: Float32Array;
  /** [queries, k] candidate rows. */
  readonly rows: Int32Array;
  readonly #identifierOf: (row: number) => I;

  constructor(k: number, counts: Int32Array, scores: Float32Array, rows: Int32Array, identifierOf: (row: number) => I) {
    checkArgument('counts', counts, NUMBERS);
    this.queries = counts.length;
    this.k = k;
    this.counts = counts;
    this.scores = scores;
    this.rows = rows;
    this.#identifierOf = identifierOf;
  }

  /** The identifier of a candidate row. */
  identifierOf(row: number): I {
    return this.#identifierOf(checkInteger('row', row, 0));
  }

  /** Identifiers of the results of a query, best first. */
  identifiers(query = 0): I[] {
    this.#check(query);
    const found: I[] = new Array(this.counts[query]!);
    for (let i = 0; i < found.length; i++) found[i] = this.#identifierOf(this.rows[query * this.k + i]!);
    return found;
  }

  /** Scores of the results of a query as a view, best first. */
  scoresOf(query = 0): Float32Array {
    this.#check(query);
    return this.scores.subarray(query * this.k, query * this.k + this.counts[query]!);
  }

  /** Candidate rows of the results of a query as a view, best first. */
  rowsOf(query = 0): Int32Array {
    this.#check(query);
    return this.rows.subarray(query * this.k, query * this.k + this.counts[query]!);
  }

  #check(query: number): void {
    checkInteger('query', query, 0, this.queries - 1);
  }

  /** Identifiers and scores of the results of a query, best first. */
  hits(query = 0): Hit<I>[] {
    const scores = this.scoresOf(query);
    return this.identifiers(query).map((identifier, i) => ({ identifier, score: scores[i]! }));
  }
}
