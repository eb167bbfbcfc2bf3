/** `@shortlist/server/client`: the typed client of the plain JSON API. It runs wherever `fetch` exists. */

export type { Filter } from '../attributes/filter.ts';
export type {
  Candidate,
  DeleteRequest,
  EventsRequest,
  HistoryUse,
  JsonFeature,
  JsonIdentifier,
  JsonQuery,
  SeenEvent,
  ShortlistHit,
  ShortlistRequest,
  ShortlistResponse,
  SimilarRequest,
  UpdateResponse,
  UpsertRequest,
} from '../shortlist/messages.ts';
export {
  type CallOptions,
  type ClientOptions,
  createClient,
  type ShortlistAnswer,
  ShortlistClient,
  ShortlistRequestError,
} from './client.ts';
