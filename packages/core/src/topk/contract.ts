/**
 * The interfaces of the top-k indexes: `TopK`, which all of them implement (BruteForce, Streaming, ScaNN), and an
 * interface for each ability that only some have. test/conformance/top-k.case.ts tests each index against them.
 *
 * After TFRS's `layers/factorized_top_k.py` (TopK): names and shapes are the same. Differences: excluded rows are
 * removed before the best are selected, k is at most the number of candidates, results are never padded, and a call
 * keeps no state, so concurrent calls are safe. FEATURES.md lists each difference.
 */
import type { Progress } from '../clustering/k-means.ts';
import type { Matrix, VectorsLike } from '../vectors/matrix.ts';
import type { IndexAccess, Reading } from './access.ts';
import type { CandidateVectors, KeptRows } from './candidate-vectors.ts';
import type { Identifier, Identifiers } from './identifiers.ts';
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

/** Candidate batches in order. */
export type CandidateSequence<I extends Identifier> = Iterable<CandidateBatch<I>> | AsyncIterable<CandidateBatch<I>>;

/** The part of a tower that an index uses: it maps each raw feature to a row of `dimensions` floats. */
export interface QueryModel<Q> {
  readonly dimensions: number;
  /** Embeddings [features.length, dimensions], valid until the next call; the caller neither keeps nor frees them. */
  embed(features: readonly Q[]): Matrix;
}

/**
 * The formula of a score; a larger score is better in each case: 'dot_product' ⟨q, x⟩ · 'cosine' ⟨q, x⟩/(|q||x|) ·
 * 'squared_l2' −|q − x|².
 */
export type DistanceMeasure = 'dot_product' | 'cosine' | 'squared_l2';

/** Options that all indexes have. */
export interface TopKOptions<Q> {
  /** Turns raw features into query embeddings. Without it, queries must be embeddings. */
  queryModel?: QueryModel<Q> | undefined;
  /** Results per query where a call does not set k; default 10. */
  k?: number;
}

/**
 * Queries of a call. With a query model: raw features, one or an array of them. Without: embeddings [queries, d], or
 * one embedding of d numbers. A `Matrix` is embeddings in either case.
 */
export type Queries<Q> = Q | readonly Q[] | VectorsLike | ArrayLike<number>;

/** Excluded identifiers: one list for all queries, or one list per query. The lists may differ in length. */
export type Exclusions<I extends Identifier> = readonly I[] | readonly (readonly I[])[];

/** Returns true for a candidate that may be returned. */
export type CandidatePredicate<I extends Identifier> = (identifier: I, row: number) => boolean;

/** Which candidates may be returned: a predicate, or bit words over the rows; row r is bit r & 31 of word r >> 5. */
export type CandidateFilter<I extends Identifier> = CandidatePredicate<I> | Int32Array;

/** Options of one call. An index may add options of its own. */
export interface CallOptions<I extends Identifier> {
  /** Results per query; default the index's k. */
  k?: number | undefined;
  /** Identifiers left out; identifiers that the index does not hold have no effect. */
  exclude?: Exclusions<I> | undefined;
  /** Only these identifiers may be returned. */
  include?: readonly I[] | undefined;
  /** Only candidates that pass this may be returned; a predicate is called once for each row before the scan. */
  filter?: CandidateFilter<I> | undefined;
}

/**
 * A top-k index over candidates with identifiers of type I. Q is the type of raw features in queries, O that of the
 * options of a call.
 *
 * Results are sorted by score, descending, and equal scores by candidate row, ascending. The score is ⟨query,
 * candidate⟩ unless the index has another `distanceMeasure`.
 */
export interface TopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>> {
  /** Replace the candidates by a copy of these; returns the index. Default identifiers are row numbers. */
  index(candidates: VectorsLike, identifiers?: readonly I[]): this;
  /** Replace the candidates by those of a data set, which is read once, batch by batch. */
  indexFromDataset(dataset: CandidateDataset<I>): Promise<this>;
  /** The k best candidates of each query; fewer than k where the index has fewer. */
  call(queries: Queries<Q>, k?: number | O): TopKResult<I>;
  /** The k best candidates that are not excluded: `call` with the option `exclude`. */
  queryWithExclusions(queries: Queries<Q>, exclusions: Exclusions<I>, k?: number | O): TopKResult<I>;
  /** True when results are always the k best candidates; false for an approximate index. */
  isExact(): boolean;
  /** Results per query where a call does not set k. */
  readonly k: number;
  /** Candidates: rows indexed, and upserted, less those deleted. */
  readonly size: number;
  /** Width of a candidate; 0 before `index`. */
  readonly dimensions: number;
}

/** An index that can be searched while the caller's thread does other work. */
export interface AsyncTopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>> extends TopK<Q, I, O> {
  /**
   * `call` on other threads. The result is that of the candidates at the time of the call.
   *
   * @param within the read of the index's `access` that this search is a part of; default: a read of its own
   */
  callAsync(queries: Queries<Q>, k?: number | O, within?: Reading): Promise<TopKResult<I>>;
}

/** An index with approximate results that can also score every candidate exactly. */
export interface ApproximateTopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>>
  extends TopK<Q, I, O> {
  /** `call` with every candidate scored exactly: the results from which the recall of `call` is computed. */
  callExactly(queries: Queries<Q>, k?: number): TopKResult<I>;
}

/**
 * An index that holds its candidates in memory and whose candidates can be added, replaced and deleted one by one. A
 * replaced candidate keeps its row, a new one gets the next row, and the rows of all others stay.
 *
 * Each change is a synchronous method and an asynchronous one (`upsert`, `upsertAsync`). The asynchronous one waits for the
 * reads and changes before it. The synchronous one cannot wait: while `callAsync` or `saveBundle` with `nonBlocking` reads
 * the candidates, and while `indexAsync` or `indexFromDataset` replaces them, it throws a StateError and changes nothing.
 */
export interface UpdatableTopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>>
  extends AsyncTopK<Q, I, O> {
  /** Orders the asynchronous reads and changes of the candidates. */
  readonly access: IndexAccess;
  /** The identifier of each row, also of deleted ones; undefined before `index`. */
  readonly identifiers: Identifiers<I> | undefined;
  /** The formula of a score. */
  readonly distanceMeasure: DistanceMeasure;
  /** The candidates as the index keeps them, row by row. */
  keptRows(): KeptRows<I>;
  /** Each is called with the identifiers of every upsert, after it. */
  readonly upsertListeners: ((identifiers: readonly I[]) => void)[];
  /** Whether there is a candidate with this identifier. */
  hasCandidate(identifier: I): boolean;
  /** The vector of the candidate in a row, as a copy, exact or rounded as the index keeps it. */
  candidate(row: number): Float32Array;
  /** The vectors of candidates, in the order of these identifiers, exact or rounded as the index keeps them. */
  candidateVectors(identifiers: readonly I[]): CandidateVectors;
  /** Add candidates, or replace those with the same identifiers; the next call finds them. */
  upsert(identifiers: readonly I[], vectors: VectorsLike): void;
  /** Delete candidates; unknown identifiers have no effect. Returns the number of rows deleted. */
  delete(identifiers: readonly I[]): number;
  /** Allocate memory for `candidates` more, so that upserting that many copies nothing. */
  reserve(candidates: number): void;
  /** Candidates that can be upserted before `reserve` copies anything. */
  readonly room: number;
  /** Free the memory; the index is as before `index`. */
  free(): void;
  /** `index` after the reads and changes before it. The vectors are copied at the call; until the new candidates are
   * indexed, calls use the old ones. */
  indexAsync(candidates: VectorsLike, identifiers?: readonly I[], options?: LongChangeOptions): Promise<this>;
  /** `upsert` after the reads and changes before it; the vectors are copied at the call. */
  upsertAsync(identifiers: readonly I[], vectors: VectorsLike): Promise<void>;
  /** `delete` after the reads and changes before it. */
  deleteAsync(identifiers: readonly I[]): Promise<number>;
  /** `reserve` after the reads and changes before it, in short steps between which queries may run. */
  reserveAsync(candidates: number): Promise<void>;
  /** `free` after the reads and changes before it. */
  freeAsync(): Promise<void>;
  /**
   * Build the tables from identifiers to candidates in short steps, with a turn of the event loop after each. Without
   * this call, the first update, exclusion or include list builds them and waits for that.
   */
  prepareLookups(): Promise<void>;
  /** The rows that `save` writes, in order, where it leaves deleted rows out; undefined where it writes all rows. */
  savedRows(): Int32Array | undefined;
}

/**
 * An index whose structure is trained on its candidates. The structure fits less well after many updates; the index can
 * be rebuilt.
 */
export interface RebalancingTopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>>
  extends UpdatableTopK<Q, I, O> {
  /** The changes of the candidates since the index was built. */
  drift(): IndexDrift;
  /**
   * Rebuild the index from its present candidates; queries and updates may run meanwhile. Those updates are also
   * applied to the new index, which then replaces the old one.
   */
  rebalance(options?: LongChangeOptions): Promise<this>;
}

/** The changes of the candidates of an index since it was built. */
export interface IndexDrift {
  /** Candidates that were upserted since the build, and rows whose candidate was deleted since. */
  inserted: number;
  deleted: number;
  /** Share of candidates that would move to another leaf if the centroids followed the upserted candidates. */
  movedShare: number;
  /** Mean squared distance from the centroid: of the upserted candidates, and of all candidates at build time. */
  distance: number;
  builtDistance: number;
}

/** Options of a long change. */
export interface LongChangeOptions {
  /** Stops the change between two steps; the index is as before. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** True when an index can be searched while the caller's thread does other work. */
export function isAsync<Q, I extends Identifier>(index: TopK<Q, I>): index is AsyncTopK<Q, I> {
  return has(index, 'callAsync');
}

/** True when an index is approximate and can also search exactly. */
export function isApproximate<Q, I extends Identifier>(index: TopK<Q, I>): index is ApproximateTopK<Q, I> {
  return has(index, 'callExactly');
}

/** True when candidates of an index can be added, replaced and deleted. */
export function isUpdatable<Q, I extends Identifier>(index: TopK<Q, I>): index is UpdatableTopK<Q, I> {
  return has(index, 'upsert', 'delete', 'reserve', 'access');
}

/** True when an index can be rebuilt from its own candidates. */
export function isRebalancing<Q, I extends Identifier>(index: TopK<Q, I>): index is RebalancingTopK<Q, I> {
  return isUpdatable(index) && has(index, 'rebalance', 'drift');
}

function has(index: unknown, ...members: readonly string[]): boolean {
  if (typeof index !== 'object' || index === null) return false;
  return members.every((member) => member in index);
}
