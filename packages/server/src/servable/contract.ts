/**
 * What a server serves: one version of a model, seen as queries in and candidates out. Protocols speak to this and
 * never to an index.
 *
 * An `Ask` is one query with its settings, an `Answer` its candidates. `answer` takes many asks at once, because a scan
 * of the index is shared by the queries of a batch; the queue above it decides how many asks one call gets. A promise
 * means the scan is on the worker threads: the event loop goes on, and updates wait for it. Answers are by score
 * descending, ties by row ascending, and are as long as there are candidates.
 */
import type { Identifier } from 'shortlist';
import type { Filter } from '../attributes/filter.ts';
import type { AttributeTable, AttributeValues } from '../attributes/table.ts';
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

/** One query and how to search for it. Exactly one of `features` and `embedding` is set. */
export interface Ask {
  features?: Features | undefined;
  embedding?: Float32Array | undefined;
  k: number;
  leavesToSearch?: number | undefined;
  reorder?: number | undefined;
  filter?: Filter | undefined;
  include?: readonly Identifier[] | undefined;
  exclude?: readonly Identifier[] | undefined;
}

/** The candidates found for one query, best first; all three have the same length. */
export interface Answer {
  identifiers: readonly Identifier[];
  scores: Float32Array;
  rows: Int32Array;
}

/** What the scans of an index did so far. */
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

/** A change to the candidates; `embedding` is a candidate's vector. */
export type Update =
  | { kind: 'upsert'; identifier: Identifier; embedding: Float32Array; attributes?: AttributeValues | undefined }
  | { kind: 'delete'; identifier: Identifier };

/** One loaded version of a model. */
export interface Servable {
  /** BYTES when identifiers are strings, INT64 when they are integers. */
  readonly identifierDatatype: 'BYTES' | 'INT64';
  /** Raw features of a query; empty when the bundle holds no query tower. */
  readonly features: readonly FeatureSpec[];
  /** Floats of an embedding. */
  readonly dimensions: number;
  /** Candidates. */
  readonly size: number;
  /** Results a query gets unless it says otherwise. */
  readonly k: number;
  readonly attributes: AttributeTable;
  /** Query embeddings of raw features, row after row: [queries, dimensions]. */
  embed(features: readonly Features[]): Float32Array;
  /** The best candidates of each ask. */
  answer(asks: readonly Ask[]): Answer[] | Promise<Answer[]>;
  /** The truly best candidates of each ask: what the recall canary compares with. */
  answerExactly(asks: readonly Ask[]): Answer[] | Promise<Answer[]>;
  /** Whether an ask is so much work that light ones should not wait behind it. */
  isHeavy(ask: Ask): boolean;
  /** Resolves when the scans under way have ended; undefined when none reads the candidates, which may change then. */
  quiet(): Promise<void> | undefined;
  /** Whether `answer` is exact already. */
  isExact(): boolean;
  /**
   * Build what the first update, exclusion or include list would wait for, in short steps; the same promise
   * whenever it is called.
   */
  prepare(): Promise<void>;
  /** True when updates will soon find no room: then `makeRoom` should copy what is there to where there is more. */
  isCrowded(): boolean;
  /** Make room for updates, in short steps; until it has ended nothing may be applied. */
  makeRoom(): Promise<void>;
  /**
   * Throw when one of these updates cannot be applied after all that were checked before; no candidate changes. What
   * they settle for later ones, the kinds of new attributes, holds until the function that is returned is called: when
   * they were applied, or will not be.
   */
  check(updates: readonly Update[]): () => void;
  /** Change the candidates as was checked; visible to the next `answer`. */
  apply(update: Update): void;
  scanCounts(): ScanCounts;
  /** Drift since this version was built or loaded, as of a few updates ago; undefined where nothing drifts. */
  drift(): Drift | undefined;
  /** Write everything, updates included, as one bundle into a folder; until it has ended nothing may be applied. */
  save(folder: string): Promise<void>;
  /** `save`, with the index built anew from its candidates. Nothing but `dispose` may be called afterwards. */
  saveRebalanced(folder: string): Promise<void>;
  /** Give memory back; nothing may be called afterwards. */
  dispose(): void;
}
