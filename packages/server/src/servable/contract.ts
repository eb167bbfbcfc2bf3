/**
 * A servable: one loaded version of a model, with queries in and candidates out. Protocols call this contract and never an
 * index.
 *
 * A `Query` is one query with its settings, an `QueryResult` its candidates. `search` takes many queries at once, because a scan
 * of the index is shared by the queries of a batch; the queue above it decides how many queries one call gets. A promise
 * means the scan is on the worker threads: the event loop goes on, and `change` waits for it. Results are sorted by score
 * descending, ties by row ascending, unless rules order them, and are as long as there are candidates.
 */
import type { Identifier, SeenItems } from 'shortlist';
import type { MmrOptions } from 'shortlist/rules';
import type { Filter } from '../attributes/filter.ts';
import type { AttributeTable } from '../attributes/table.ts';
import type { AttributeValues } from '../attributes/values.ts';
import type { Datatype, Element } from '../tensors/tensor.ts';

/** One raw feature a query consists of. */
export interface FeatureSpec {
  name: string;
  datatype: Datatype;
  /** [] for one value a query, [n] for n, [−1] for any number. */
  shape: readonly number[];
}

/** The raw features of one query: the value itself where there is one feature, else values by name. */
export type Features = Element | readonly Element[] | { readonly [name: string]: Element | readonly Element[] };

/** Rules as a request says them; identifiers are of the type that the index has on the wire. */
export interface QueryRules {
  /** At most so many results with the same value, by attribute. */
  perValue?: { readonly [attribute: string]: number };
  /** Results chosen by maximal marginal relevance. */
  mmr?: MmrOptions;
  /** The least score of a result that is not pinned. */
  scoreThreshold?: number;
  /** Candidates that come first, in this order. */
  pin?: readonly Identifier[];
  /** Candidates that are never returned. */
  block?: readonly Identifier[];
}

/** A history of a query: its items that the model knows and those it does not, and whether the query is made of it. */
export interface HistoryUse {
  isUsed: boolean;
  known: readonly Identifier[];
  unknown: readonly Identifier[];
}

/** One query and how to search for it. Features, an embedding, a history, features and a history, or `similarTo` are set. */
export interface Query {
  features?: Features | undefined;
  embedding?: Float32Array | undefined;
  /** Items that the user chose, the last at the end, for the case that the model does not know the user. */
  history?: readonly Identifier[] | undefined;
  /** Candidates similar to these, which are left out, or to a vector of a candidate's kind: compared as `similar` of the library does. */
  similarTo?: readonly Identifier[] | Float32Array | undefined;
  k: number;
  leavesToSearch?: number | undefined;
  reorder?: number | undefined;
  filter?: Filter | undefined;
  include?: readonly Identifier[] | undefined;
  exclude?: readonly Identifier[] | undefined;
  /** What the results obey together; undefined where nothing. */
  rules?: QueryRules | undefined;
  /** Whether to leave out what the user has seen; default as the bundle says. */
  excludeSeen?: boolean | undefined;
  /** Whose seen items these are; default the user that the features name. */
  user?: string | undefined;
}

/** The result of one query: the candidates found, best first. All three lists have the same length. */
export interface QueryResult {
  identifiers: readonly Identifier[];
  scores: Float32Array;
  rows: Int32Array;
  /** Names of the query's features whose value is not in their vocabulary; undefined where all are known. */
  unknown?: readonly string[] | undefined;
  /** The history that the query has, or was made of; undefined where there is none. */
  history?: HistoryUse | undefined;
}

/** Work of the scans of an index since it was loaded. */
export interface ScanCounts {
  leavesVisited: number;
  codesScored: number;
  rowsReordered: number;
}

/** How far updates have led an index from how it was built. */
export interface Drift {
  /** Share of candidates that would change their leaf if centroids moved with what was upserted. */
  movedShare: number;
  /** Mean squared distance of upserted candidates from their centroids, over that of all at build time. */
  distanceRatio: number;
}

/** A change to the candidates, or to what users have seen; `embedding` is a candidate's vector. */
export type Update =
  | { kind: 'upsert'; identifier: Identifier; embedding: Float32Array; attributes?: AttributeValues | undefined }
  | { kind: 'delete'; identifier: Identifier }
  /** A user has seen an item, which need not be a candidate. */
  | { kind: 'seen'; user: string; identifier: Identifier };

/** An update as a request says it: of a candidate's raw features the candidate tower makes its vector. */
export type RequestedUpdate =
  | Update
  | { kind: 'upsert'; identifier: Identifier; features: Features; attributes?: AttributeValues | undefined };

/** One loaded version of a model. */
export interface Servable {
  /** BYTES when identifiers are strings, INT64 when they are integers. */
  readonly identifierDatatype: 'BYTES' | 'INT64';
  /** Raw features of a query; empty when the bundle holds no query tower. */
  readonly features: readonly FeatureSpec[];
  /** Raw features of a candidate; empty when the bundle holds no candidate tower. */
  readonly candidateFeatures: readonly FeatureSpec[];
  /** Floats of an embedding. */
  readonly dimensions: number;
  /** Candidates. */
  readonly size: number;
  /** Results a query gets unless it says otherwise. */
  readonly k: number;
  readonly attributes: AttributeTable;
  /** What each user has seen. */
  readonly seenItems: SeenItems<Identifier>;
  /** Query embeddings of raw features, row after row: [queries, dimensions]. */
  embed(features: readonly Features[]): Float32Array;
  /** Vectors of candidates of their raw features, row after row: [candidates, dimensions]. */
  embedCandidates(features: readonly Features[]): Float32Array;
  /** Names of the features of a candidate whose value is not in their vocabulary; undefined where all are known. */
  unknownCandidateFeatures(features: Features): readonly string[] | undefined;
  /** The best candidates of each query. */
  search(queries: readonly Query[]): QueryResult[] | Promise<QueryResult[]>;
  /** The truly best candidates of each query: what the recall canary compares with. */
  searchExactly(queries: readonly Query[]): QueryResult[] | Promise<QueryResult[]>;
  /** Whether a query is so expensive that cheap ones should not wait behind it. */
  isHeavy(query: Query): boolean;
  /** Whether `search` is exact already. */
  isExact(): boolean;
  /**
   * Build what the first update, exclusion or include list would wait for, in short steps; the same promise
   * whenever it is called.
   */
  prepare(): Promise<void>;
  /** Whether there is little room left for new candidates; `makeRoom` then copies them to a larger block. */
  isNearlyFull(): boolean;
  /** Make room for new candidates, in short steps; `change` waits until it has ended. */
  makeRoom(): Promise<void>;
  /**
   * Throw when one of these updates cannot be applied after all that were checked before; no candidate changes. What
   * they settle for later ones, the kinds of new attributes, holds until the function that is returned is called: when
   * they were applied, or will not be.
   */
  check(updates: readonly Update[]): () => void;
  /** Run a function that applies updates, after those before it, when no scan reads the candidates. */
  change<T>(change: () => T): Promise<T>;
  /** Change the candidates as was checked; visible to the next `search`. To be called within `change` while it serves. */
  apply(update: Update): void;
  scanCounts(): ScanCounts;
  /** Drift since this version was built or loaded, as of a few updates ago; undefined where nothing drifts. */
  drift(): Drift | undefined;
  /** Write everything, updates included, as one bundle into a folder; `change` waits until it is written. */
  save(folder: string): Promise<void>;
  /** `save`, with the index built anew from its candidates. Nothing but `dispose` may be called afterwards. */
  saveRebalanced(folder: string): Promise<void>;
  /** Give memory back, once the scans under way have ended; nothing may be called afterwards. */
  dispose(): Promise<void>;
}
