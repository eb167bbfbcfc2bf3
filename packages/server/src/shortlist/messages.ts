/**
 * The messages of the plain JSON API as types, which the typed client shares. schema.ts has the same messages as JSON
 * Schema.
 */

import type { Filter } from '../attributes/filter.ts';
import type { AttributeValue, AttributeValues } from '../attributes/values.ts';

/** An identifier in JSON. */
export type JsonIdentifier = string | number;

/** Raw features: the value itself if a query has a single feature, else values by name. */
export type JsonQuery = JsonFeature | { readonly [feature: string]: JsonFeature };

/** A feature's value or values; null where an optional one is missing. */
export type JsonFeature = string | number | boolean | null | readonly (string | number | boolean)[];

/** `POST /v1/shortlist`: `query`, `history`, both, or `embedding`. */
export interface ShortlistRequest {
  model?: string;
  version?: number;
  label?: string;
  query?: JsonQuery;
  embedding?: readonly number[];
  /**
   * Items that the user chose, the latest last. The query embedding is made from them if the model does not know the
   * user of `query`, or if there is no `query`.
   */
  history?: readonly JsonIdentifier[];
  k?: number;
  exclude?: readonly JsonIdentifier[];
  /** Whether to leave out items that the user has seen; default: the bundle's setting. */
  excludeSeen?: boolean;
  /**
   * The user whose seen items are left out; default: the user that the query names. Alone, without a query, it asks a model
   * that reads histories (`seenAsHistory: 'always'`) for the user's next items.
   */
  user?: JsonIdentifier;
  include?: readonly JsonIdentifier[];
  filter?: Filter;
  /** Most results with the same value, by attribute; each value of a list counts. */
  perValue?: { readonly [attribute: string]: number };
  /** Results chosen by maximal marginal relevance: weight 1 is relevance alone, 0 diversity alone. */
  mmr?: { weight: number; candidates?: number };
  /** Lowest score of a result that is not pinned. */
  scoreThreshold?: number;
  /** Candidates that come first, in this order, whatever their score. */
  pin?: readonly JsonIdentifier[];
  /** Candidates that are never returned. */
  block?: readonly JsonIdentifier[];
  /** The attributes that results show; default all. */
  attributes?: readonly string[];
  leavesToSearch?: number;
  reorder?: number;
  timeoutMs?: number;
}

/** `POST /v1/similar`: exactly one of `ids`, which are left out of the results, and `embedding`, a candidate vector. */
export interface SimilarRequest extends Omit<ShortlistRequest, 'query' | 'embedding' | 'history'> {
  ids?: readonly JsonIdentifier[];
  embedding?: readonly number[];
}

/** One result: identifier, score, and the attributes that the candidate has. */
export interface ShortlistHit {
  id: JsonIdentifier;
  score: number;
  [attribute: string]: AttributeValue;
}

/** The response to a request for a shortlist or for similar candidates. */
export interface ShortlistResponse {
  model: string;
  version: number;
  results: ShortlistHit[];
  /** The settings of the request that had no effect: an exact index has neither leaves nor candidates to reorder. */
  ignored?: string[];
  /**
   * Features of the query whose value was in no training example: the results are those that any unknown value gets.
   */
  unknown?: string[];
  /** The use of the history, which is the request's or consists of the items that an unknown user has seen. */
  history?: HistoryUse;
  tookMs: number;
}

/**
 * Whether the results are based on a history, the number of its items that the model knows, and the items that it does
 * not know.
 */
export interface HistoryUse {
  isUsed: boolean;
  items: number;
  unknown: JsonIdentifier[];
}

/** A candidate to insert or to replace. */
export interface Candidate {
  id: JsonIdentifier;
  /** The candidate's vector; give either this or `features`. */
  embedding?: readonly number[];
  /** The candidate's raw features, from which the bundle's candidate tower computes the vector. */
  features?: JsonQuery;
  attributes?: AttributeValues;
}

/** `POST /v1/candidates/upsert`. */
export interface UpsertRequest {
  model?: string;
  candidates: readonly Candidate[];
}

/** `POST /v1/candidates/delete`. */
export interface DeleteRequest {
  model?: string;
  ids: readonly JsonIdentifier[];
}

/** A user has seen an item, which need not be a candidate. */
export interface SeenEvent {
  user: JsonIdentifier;
  item: JsonIdentifier;
}

/** `POST /v1/events`. */
export interface EventsRequest {
  model?: string;
  events: readonly SeenEvent[];
}

/** The response to updates. When it is sent, they are in the journal and visible to the next query. */
export interface UpdateResponse {
  model: string;
  version: number;
  acknowledged: number;
  /**
   * Candidates that were given by features, at least one of which has a value that is not in the candidate tower's
   * vocabulary.
   */
  unknown?: { id: JsonIdentifier; features: string[] }[];
}
