/** The plain JSON API's messages as types; schema.ts has the same as JSON Schema. The typed client shares them. */

import type { Filter } from '../attributes/filter.ts';
import type { AttributeValue, AttributeValues } from '../attributes/values.ts';

/** An identifier in JSON. */
export type JsonIdentifier = string | number;

/** Raw features: the value itself where a query has one feature, else values by name. */
export type JsonQuery = JsonFeature | { readonly [feature: string]: JsonFeature };

/** A feature's value or values. */
export type JsonFeature = string | number | boolean | readonly (string | number | boolean)[];

/** `POST /v1/shortlist`: `query`, `history`, both, or `embedding`. */
export interface ShortlistRequest {
  model?: string;
  version?: number;
  label?: string;
  query?: JsonQuery;
  embedding?: readonly number[];
  /** Items that the user chose, the last at the end: what is asked where the model does not know the user of `query`. */
  history?: readonly JsonIdentifier[];
  k?: number;
  exclude?: readonly JsonIdentifier[];
  /** Whether to leave out what the user has seen; default as the bundle says. */
  excludeSeen?: boolean;
  /** Whose seen items these are; default the user that the query names. */
  user?: JsonIdentifier;
  include?: readonly JsonIdentifier[];
  filter?: Filter;
  /** At most so many results with the same value, by attribute; each value of a list counts. */
  perValue?: { readonly [attribute: string]: number };
  /** Results chosen by maximal marginal relevance: weight 1 is relevance alone, 0 diversity alone. */
  mmr?: { weight: number; candidates?: number };
  /** The least score of a result that is not pinned. */
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

/** `POST /v1/similar`: exactly one of `ids`, which are left out, and `embedding`, a vector of a candidate's kind. */
export interface SimilarRequest extends Omit<ShortlistRequest, 'query' | 'embedding' | 'history'> {
  ids?: readonly JsonIdentifier[];
  embedding?: readonly number[];
}

/** One result: identifier, score, and the attributes the candidate has. */
export interface ShortlistHit {
  id: JsonIdentifier;
  score: number;
  [attribute: string]: AttributeValue;
}

/** What a request for a shortlist, or for similar candidates, is answered. */
export interface ShortlistResponse {
  model: string;
  version: number;
  results: ShortlistHit[];
  /** Features of the query whose value no training example had: the answer is what everybody unknown gets. */
  unknown?: string[];
  /** What became of the history: the request's, or what a user whom the model does not know has seen. */
  history?: HistoryUse;
  tookMs: number;
}

/** Whether results are those of a history, of how many items, and the items that the model does not know. */
export interface HistoryUse {
  isUsed: boolean;
  items: number;
  unknown: JsonIdentifier[];
}

/** A candidate to insert or to replace. */
export interface Candidate {
  id: JsonIdentifier;
  /** The candidate's vector, or else `features`. */
  embedding?: readonly number[];
  /** The candidate's raw features, of which the bundle's candidate tower makes its vector. */
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

/** The answer to updates: they are journalled, and visible to the next query. */
export interface UpdateResponse {
  model: string;
  version: number;
  acknowledged: number;
  /** Of candidates given by features: those with a value that is not in the vocabulary of the candidate tower. */
  unknown?: { id: JsonIdentifier; features: string[] }[];
}
