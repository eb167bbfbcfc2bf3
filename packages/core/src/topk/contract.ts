/**
 * The contract of every top-k index (BruteForce, Streaming, ScaNN), and of what only some of them can do. test/conformance/top-k.case.ts runs on each.
 *
 * After TFRS's `layers/factorized_top_k.py` (TopK): the words and the call shapes are its own. Different on purpose:
 * exclusion is a row filter before selection, k is clamped to what exists, results are never padded, and a call keeps
 * no state, so that concurrent calls are safe. FEATURES.md lists each difference.
 */
import type { Progress } from '../clustering/k-means.ts';
import type { Matrix, VectorsLike } from '../vectors/matrix.ts';
import type { IndexAccess, Reading } from './access.ts';
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
  /** The k best that are not excluded: `call` with `exclude`. */
  queryWithExclusions(queries: Queries<Q>, exclusions: Exclusions<I>, k?: number | O): TopKResult<I>;
  /** True when results are exactly the best. */
  isExact(): boolean;
  /** Results a query gets unless the call says otherwise. */
  readonly k: number;
  /** Candidates: rows indexed, and upserted, less those deleted. */
  readonly size: number;
  /** Width of a candidate; 0 before `index`. */
  readonly dimensions: number;
}

/** An index that can be searched while the caller's thread does other work. */
export interface AsyncTopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>> extends TopK<Q, I, O> {
  /**
   * `call`, as a promise; it answers from the candidates there were when it was called.
   *
   * @param within the read of the index's `access` that this search is a part of; default one of its own
   */
  callAsync(queries: Queries<Q>, k?: number | O, within?: Reading): Promise<TopKResult<I>>;
}

/** An index whose results are approximate, beside what it would answer if it scored every candidate. */
export interface ApproximateTopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>>
  extends TopK<Q, I, O> {
  /** `call` with every candidate scored: the truth that the results of `call` are held against. */
  callExactly(queries: Queries<Q>, k?: number): TopKResult<I>;
}

/**
 * An index that holds its candidates and takes changes of single ones. A replaced candidate keeps its row, a new one gets
 * the next, and the rows of the others stay.
 *
 * Each change has an asynchronous twin that waits for the reads and changes before it (`access`). A synchronous change
 * cannot wait: while `callAsync` or a bundle saved with `nonBlocking` reads the candidates, and while `indexAsync` or
 * `indexFromDataset` replaces them, it throws a StateError that names the twin, and nothing has changed.
 */
export interface UpdatableTopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>>
  extends AsyncTopK<Q, I, O> {
  /** Orders what reads and changes the candidates over more than one turn of the event loop. */
  readonly access: IndexAccess;
  /** The identifiers of the rows, deleted ones among them; undefined before `index`. */
  readonly identifiers: Identifiers<I> | undefined;
  /** Add candidates, or replace those whose identifier the index holds; the next call finds them. */
  upsert(identifiers: readonly I[], vectors: VectorsLike): void;
  /** Take candidates out; unknown identifiers are passed over. Returns how many rows went. */
  delete(identifiers: readonly I[]): number;
  /** Room for `candidates` more, so that upserts of so many copy nothing. */
  reserve(candidates: number): void;
  /** Candidates that can be upserted before `reserve` copies anything. */
  readonly room: number;
  /** Give the memory back; the index is as before `index`. */
  free(): void;
  /** `index` in its turn; the vectors are copied at the call. The old candidates serve until the new ones are there. */
  indexAsync(candidates: VectorsLike, identifiers?: readonly I[], options?: LongChangeOptions): Promise<this>;
  /** `upsert` in its turn; the vectors are copied at the call. */
  upsertAsync(identifiers: readonly I[], vectors: VectorsLike): Promise<void>;
  /** `delete` in its turn. */
  deleteAsync(identifiers: readonly I[]): Promise<number>;
  /** `reserve` in its turn and in short steps; queries go on between them. */
  reserveAsync(candidates: number): Promise<void>;
  /** `free` in its turn. */
  freeAsync(): Promise<void>;
  /**
   * Build the tables from identifiers to candidates, which the first update, exclusion or include list would wait for, in
   * short steps with the event loop between them.
   */
  prepareLookups(): Promise<void>;
  /** The rows that `save` writes, in their order, where it leaves deleted ones out; undefined where it writes all. */
  savedRows(): Int32Array | undefined;
}

/** An index that is built of what its candidates have in common, from which updates lead it away. */
export interface RebalancingTopK<Q, I extends Identifier, O extends CallOptions<I> = CallOptions<I>>
  extends UpdatableTopK<Q, I, O> {
  /** How far updates have led from the build. */
  drift(): IndexDrift;
  /**
   * Build anew from the candidates as they are, while queries and updates go on, and serve the result from then on, with
   * the updates made meanwhile.
   */
  rebalance(options?: LongChangeOptions): Promise<this>;
}

/** How far updates have led an index from its build. */
export interface IndexDrift {
  /** Candidates upserted, and rows that hold none any more. */
  inserted: number;
  deleted: number;
  /** Share of candidates that would change their leaf if centroids moved with what was upserted. */
  movedShare: number;
  /** Mean squared distance from the centroid: of upserted candidates, and of all at build time. */
  distance: number;
  builtDistance: number;
}

/** Options of a change that lets others run between its steps. */
export interface LongChangeOptions {
  /** Ends the change between two steps; the index is as before. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Whether an index can be searched while the caller's thread does other work. */
export function isAsync<Q, I extends Identifier>(index: TopK<Q, I>): index is AsyncTopK<Q, I> {
  return has(index, 'callAsync');
}

/** Whether an index is approximate and can say what it would answer exactly. */
export function isApproximate<Q, I extends Identifier>(index: TopK<Q, I>): index is ApproximateTopK<Q, I> {
  return has(index, 'callExactly');
}

/** Whether single candidates of an index can be changed. */
export function isUpdatable<Q, I extends Identifier>(index: TopK<Q, I>): index is UpdatableTopK<Q, I> {
  return has(index, 'upsert', 'delete', 'reserve', 'access');
}

/** Whether an index can be built anew from its own candidates. */
export function isRebalancing<Q, I extends Identifier>(index: TopK<Q, I>): index is RebalancingTopK<Q, I> {
  return isUpdatable(index) && has(index, 'rebalance', 'drift');
}

function has(index: object, ...members: readonly string[]): boolean {
  return members.every((member) => member in index);
}
