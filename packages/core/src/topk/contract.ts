/**
 * The contract of every top-k index: BruteForce, Streaming, ScaNN. test/conformance/top-k.case.ts runs on each.
 *
 * After TFRS's `layers/factorized_top_k.py` (TopK): the words and the call shapes are its own. Different on purpose:
 * exclusion is a row filter before selection, k is clamped to what exists, results are never padded, and a call keeps
 * no state, so that concurrent calls are safe. FEATURES.md lists each difference.
 */
import type { Matrix, VectorsLike } from '../vectors/matrix.ts';
import type { TopKResult } from './result.ts';

/** What a caller names a candidate by; kept and returned as given. */
export type Identifier = string | number | bigint;

/** A part of a data set of candidates: embeddings, or identifiers with embeddings (TFRS's order). */
export type CandidateBatch<I extends Identifier> =
  | VectorsLike
  | readonly [identifiers: readonly I[], candidates: VectorsLike];

/** Any sequence of candidate batches; an async one is read as it comes. */
export type CandidateDataset<I extends Identifier> = Iterable<CandidateBatch<I>> | AsyncIterable<CandidateBatch<I>>;

/** The part of a tower an index needs: raw features in, one row of `dimensions` floats each out. */
export interface QueryModel<Q> {
  readonly dimensions: number;
  embed(features: readonly Q[]): Matrix;
}

/** Options every index has. */
export interface TopKOptions<Q> {
  /** Turns raw features into query embeddings; without it queries are embeddings. */
  queryModel?: QueryModel<Q>;
  /** How many results a query gets unless the call says otherwise; default 10. */
  k?: number;
}

/** Queries of a call: raw features when a query model was given, embeddings otherwise. */
export type Queries<Q> = readonly Q[] | VectorsLike;

/**
 * A top-k index over candidates with identifiers of type I, asked with raw features of type Q.
 *
 * Results are by score descending, ties by candidate row ascending. Score = ⟨query, candidate⟩ unless the index says
 * otherwise.
 */
export interface TopK<Q, I extends Identifier> {
  /** Replace the candidates. Without identifiers they are row numbers. Copies; returns itself. */
  index(candidates: VectorsLike, identifiers?: readonly I[]): this;
  /** Replace the candidates by those of a data set, read once, batch by batch. */
  indexFromDataset(dataset: CandidateDataset<I>): Promise<this>;
  /** The k best candidates of each query; fewer where fewer exist. */
  call(queries: Queries<Q>, k?: number): TopKResult<I>;
  /** The k best that are not excluded. `exclusions[b]` belongs to query b; lists may differ in length. */
  queryWithExclusions(queries: Queries<Q>, exclusions: readonly (readonly I[])[], k?: number): TopKResult<I>;
  /** True when results are exactly the best. */
  isExact(): boolean;
  /** Rows indexed. */
  readonly size: number;
  /** Width of a candidate; 0 before `index`. */
  readonly dimensions: number;
}
