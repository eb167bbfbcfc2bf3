/**
 * The contract of every top-k index: BruteForce, Streaming, ScaNN. test/conformance/top-k.case.ts runs on each.
 *
 * After TFRS's `layers/factorized_top_k.py` (TopK): the words and the call shapes are its own. Different on purpose:
 * exclusion is a row filter before selection, k is clamped to what exists, results are never padded, and a call keeps
 * no state, so that concurrent calls are safe. FEATURES.md lists each difference.
 */
import type { Matrix, VectorsLike } from '../vectors/matrix.ts';
import type { Identifier } from './identifiers.ts';
import type { TopKResult } from './result.ts';

export type { Identifier } from './identifiers.ts';

/** A part of a data set of candidates: embeddings, or identifiers with embeddings (TFRS's order). */
export type CandidateBatch<I extends Identifier> =
  | VectorsLike
  | readonly [identifiers: readonly I[], candidates: VectorsLike];

/** Candidate batches, or a function that starts reading them again. */
export type CandidateDataset<I extends Identifier> =
  | CandidateSequence<I>
  | (() => CandidateSequence<I>)
  | (() => Promise<CandidateSequence<I>>);

/** Candidate batches in order; an async sequence is read as it comes. */
export type CandidateSequence<I extends Identifier> = Iterable<CandidateBatch<I>> | AsyncIterable<CandidateBatch<I>>;

/** The part of a tower an index needs: raw features in, one row of `dimensions` floats each out. */
export interface QueryModel<Q> {
  readonly dimensions: number;
  /** Embeddings [features.length, dimensions], valid until the next call; the caller neither keeps nor frees them. */
  embed(features: readonly Q[]): Matrix;
}

/** Options every index has. */
export interface TopKOptions<Q> {
  /** Turns raw features into query embeddings; without it queries are embeddings. */
  queryModel?: QueryModel<Q> | undefined;
  /** How many results a query gets unless the call says otherwise; default 10. */
  k?: number;
}

/**
 * Queries of a call. With a query model: raw features, one or an array of them. Without: embeddings [queries, d], or
 * one embedding of d numbers. A `Matrix` is embeddings in either case.
 */
export type Queries<Q> = Q | readonly Q[] | VectorsLike | ArrayLike<number>;

/** Identifiers that every query leaves out, or one list a query; lists may differ in length. */
export type Exclusions<I extends Identifier> = readonly I[] | readonly (readonly I[])[];

/** Says which candidates may be returned. */
export type CandidatePredicate<I extends Identifier> = (identifier: I, row: number) => boolean;

/** Which candidates may be returned: asked once a row, or bit words over the rows, bit r of word r >> 5. */
export type CandidateFilter<I extends Identifier> = CandidatePredicate<I> | Int32Array;

/** Options of one call. Every index may add its own. */
export interface CallOptions<I extends Identifier> {
  /** Results a query gets; default the index's k. */
  k?: number | undefined;
  /** Identifiers left out; those the index does not hold are passed over. */
  exclude?: Exclusions<I> | undefined;
  /** Only these identifiers may be returned. */
  include?: readonly I[] | undefined;
  /** Only candidates this says yes to; a predicate is asked once a row before the scan. */
  filter?: CandidateFilter<I> | undefined;
}

/**
 * A top-k index over candidates with identifiers of type I, asked with raw features of type Q; O are the options of a
 * call.
 *
 * Results are by score descending, ties by candidate row ascending. Score = ⟨query, candidate⟩ unless the index says
 * otherwise.
 */
export interface TopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>> {
  /** Replace the candidates. Without identifiers they are row numbers. Copies; returns itself. */
  index(candidates: VectorsLike, identifiers?: readonly I[]): this;
  /** Replace the candidates by those of a data set, read once, batch by batch. */
  indexFromDataset(dataset: CandidateDataset<I>): Promise<this>;
  /** The k best candidates of each query; fewer where fewer exist. */
  call(queries: Queries<Q>, k?: number | O): TopKResult<I>;
  /** `call` on the worker threads while the caller's goes on; the candidates must not change meanwhile. */
  callAsync?(queries: Queries<Q>, k?: number | O): Promise<TopKResult<I>>;
  /** The k best that are not excluded: `call` with `exclude`. */
  queryWithExclusions(queries: Queries<Q>, exclusions: Exclusions<I>, k?: number | O): TopKResult<I>;
  /** True when results are exactly the best. */
  isExact(): boolean;
  /** What `call` would answer if it scored every candidate: the truth that an index that is not exact is held against. */
  callExactly?(queries: Queries<Q>, k?: number): TopKResult<I>;
  /** Results a query gets unless the call says otherwise. */
  readonly k: number;
  /** Rows indexed. */
  readonly size: number;
  /** Width of a candidate; 0 before `index`. */
  readonly dimensions: number;
}
