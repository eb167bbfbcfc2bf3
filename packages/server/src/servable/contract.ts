/**
 * A servable: one loaded version of a model, with queries in and candidates out. Protocols call this contract and never
 * an index.
 *
 * A `Query` is one query with its settings, a `QueryResult` its candidates. `search` takes many queries at once,
 * because a scan of the index is shared by the queries of a batch; the queue above it decides how many queries one call
 * gets. If `search` returns a promise, the scan runs on the worker threads: the event loop is free meanwhile, and
 * `change` waits for the scan. Results are sorted by descending score, and equal scores by ascending row, unless rules
 * order them. A result has fewer than k candidates if no more are found.
 */
import type { Identifier, SeenItems } from 'shortlist';
import type { MmrOptions } from 'shortlist/rules';
import type { EncodedFeatures } from 'shortlist/training';
import type { Filter } from '../attributes/filter.ts';
import type { AttributeTable } from '../attributes/table.ts';
import type { AttributeValues } from '../attributes/values.ts';
import type { Datatype, Element } from '../tensors/tensor.ts';

/** One raw feature of a query or of a candidate. */
export interface RequestField {
  name: string;
  datatype: Datatype;
  /** Shape per query: [] for one value, [n] for n values, [−1] for any number. */
  shape: readonly number[];
  /** Whether a query may be without a value; default false. */
  isOptional?: boolean;
  /**
   * True if a spec of features defines which values fit: JSON values are then passed on unchanged, and `encodeFeatures`
   * refuses those that do not fit. Default false: values must have the datatype.
   */
  isRaw?: boolean;
}

/** The value of a raw feature; null where there is none. */
export type FeatureValue = Element | null | readonly Element[];

/** The raw features of one query: the value itself if there is a single feature, else values by name. */
export type Features = Element | readonly Element[] | { readonly [name: string]: FeatureValue };

/** Rules of a query as a request states them. Identifiers have the datatype that the index has in requests. */
export interface QueryRules {
  /** Most results with the same value, by attribute. */
  perValue?: { readonly [attribute: string]: number };
  /** Results chosen by maximal marginal relevance. */
  mmr?: MmrOptions;
  /** Lowest score of a result that is not pinned. */
  scoreThreshold?: number;
  /** Candidates that come first, in this order. */
  pin?: readonly Identifier[];
  /** Candidates that are never returned. */
  block?: readonly Identifier[];
}

/**
 * The use of a query's history: the items that the model knows, those that it does not, and whether the query embedding
 * is made from the history.
 */
export interface HistoryUse {
  isUsed: boolean;
  known: readonly Identifier[];
  unknown: readonly Identifier[];
}

/** The encoded features of a query, which may have been encoded together with others. */
export interface EncodedQuery {
  readonly features: EncodedFeatures;
  readonly row: number;
}

/** One query and its settings. It has features, an embedding, a history, features and a history, or `similarTo`. */
export interface Query {
  features?: Features | undefined;
  /** The features as `Servable.encodeFeatures` returned them: row `row` of `features`. */
  encoded?: EncodedQuery | undefined;
  embedding?: Float32Array | undefined;
  /** Items that the user chose, the latest last. They are used if the model does not know the user. */
  history?: readonly Identifier[] | undefined;
  /**
   * Identifiers of candidates or a candidate vector. Results are the candidates most similar to them, without the
   * candidates themselves, as in the method `similar` of an index.
   */
  similarTo?: readonly Identifier[] | Float32Array | undefined;
  k: number;
  leavesToSearch?: number | undefined;
  reorder?: number | undefined;
  filter?: Filter | undefined;
  include?: readonly Identifier[] | undefined;
  exclude?: readonly Identifier[] | undefined;
  /** Rules for the results as a whole; undefined for none. */
  rules?: QueryRules | undefined;
  /** Whether to leave out items that the user has seen; default: the bundle's setting. */
  excludeSeen?: boolean | undefined;
  /** The user whose seen items are left out; default: the user that the features name. */
  user?: string | undefined;
}

/** The result of one query: the candidates found, best first. All three lists have the same length. */
export interface QueryResult {
  identifiers: readonly Identifier[];
  scores: Float32Array;
  rows: Int32Array;
  /** Names of the query's features whose value is not in their vocabulary; undefined if all are known. */
  unknown?: readonly string[] | undefined;
  /** The use of the query's history; undefined if it has none. */
  history?: HistoryUse | undefined;
}

/** Work of the scans of an index since it was loaded. */
export interface ScanCounts {
  leavesVisited: number;
  codesScored: number;
  rowsReordered: number;
}

/** Drift: how far updates have moved an index away from the one that was built. */
export interface Drift {
  /** Share of candidates that would change their leaf if the centroids were moved to fit the upserted candidates. */
  movedShare: number;
  /**
   * Mean squared distance of upserted candidates from their centroids, divided by that of all candidates at build time.
   */
  distanceRatio: number;
}

/** A change of a candidate, or the record that a user has seen an item; `embedding` is a candidate's vector. */
export type Update =
  | { kind: 'upsert'; identifier: Identifier; embedding: Float32Array; attributes?: AttributeValues | undefined }
  | { kind: 'delete'; identifier: Identifier }
  /** A user has seen an item, which need not be a candidate. */
  | { kind: 'seen'; user: string; identifier: Identifier };

/**
 * An update as a request states it. It may give a candidate's raw features, from which the candidate tower computes the
 * vector.
 */
export type RequestedUpdate =
  | Update
  | { kind: 'upsert'; identifier: Identifier; features: Features; attributes?: AttributeValues | undefined };

/** One loaded version of a model. */
export interface Servable {
  /** BYTES when identifiers are strings, INT64 when they are integers. */
  readonly identifierDatatype: 'BYTES' | 'INT64';
  /** Raw features of a query; empty when the bundle holds no query tower. */
  readonly features: readonly RequestField[];
  /** Raw features of a candidate; empty when the bundle holds no candidate tower. */
  readonly candidateFeatures: readonly RequestField[];
  /** Number of floats of an embedding. */
  readonly dimensions: number;
  /** Number of candidates. */
  readonly size: number;
  /** Default number of results per query. */
  readonly k: number;
  readonly attributes: AttributeTable;
  /** The items that each user has seen. */
  readonly seenItems: SeenItems<Identifier>;
  /**
   * Encode raw features of queries of a model with a spec of features, before they share a scan with others; undefined for
   * other models.
   *
   * @throws {FeatureError} with the first ten values that do not fit, and the numbers of their queries
   */
  encodeFeatures(features: readonly Features[]): EncodedFeatures | undefined;
  /** Query embeddings of raw features: [queries, dimensions], row-major. */
  embed(features: readonly Features[]): Float32Array;
  /** Vectors of candidates that are given by raw features: [candidates, dimensions], row-major. */
  embedCandidates(features: readonly Features[]): Float32Array;
  /** Names of a candidate's features whose value is not in their vocabulary; undefined if all are known. */
  unknownCandidateFeatures(features: Features): readonly string[] | undefined;
  /** The best candidates of each query. */
  search(queries: readonly Query[]): QueryResult[] | Promise<QueryResult[]>;
  /** The best candidates of each query by an exact search, with which the recall canary compares. */
  searchExactly(queries: readonly Query[]): QueryResult[] | Promise<QueryResult[]>;
  /** Whether a query is so expensive that cheap queries should not wait for it. */
  isHeavy(query: Query): boolean;
  /** Whether `search` is exact. */
  isExact(): boolean;
  /**
   * Build, in short steps, the structures that the first update, exclusion or include list needs. Every call returns
   * the same promise.
   */
  prepare(): Promise<void>;
  /** Whether there is little room left for new candidates; `makeRoom` should then be called. */
  isNearlyFull(): boolean;
  /**
   * Make room for new candidates, in short steps, by copying the candidates to a larger block; `change` waits until it
   * has ended.
   */
  makeRoom(): Promise<void>;
  /**
   * Throw if one of these updates cannot be applied after all that were checked before; no candidate is changed. The
   * kinds of new attributes that these updates set are reserved, so that later updates are checked against them. The
   * returned function ends the reservation; it is to be called when the updates were applied, or when they will not be.
   */
  check(updates: readonly Update[]): () => void;
  /** Run a function that applies updates. It runs after earlier ones, and when no scan reads the candidates. */
  change<T>(change: () => T): Promise<T>;
  /**
   * Apply one update, which was checked; the next `search` sees it. While the version serves this may only be called
   * within `change`.
   */
  apply(update: Update): void;
  scanCounts(): ScanCounts;
  /**
   * Drift since this version was built or loaded, as of a few updates ago; undefined for an index that cannot drift.
   */
  drift(): Drift | undefined;
  /** Write the version, with its updates, as one bundle into a folder; `change` waits until it is written. */
  save(folder: string): Promise<void>;
  /** Rebuild the index from its candidates, then save as `save` does. Only `dispose` may be called afterwards. */
  saveRebalanced(folder: string): Promise<void>;
  /** Free the memory once the scans under way have ended; no method may be called afterwards. */
  dispose(): Promise<void>;
}
