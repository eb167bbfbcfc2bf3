/**
 * A client of the plain JSON API with one method per route. Error responses are thrown as errors with their code; a
 * request is sent again only if the server was full.
 */
import { OptionError } from 'shortlist';
import {
  checkArgument,
  checkInteger,
  FUNCTION,
  NUMBER,
  OBJECT,
  optionsCheck,
  optionType,
  required,
  SIGNAL,
  STRING,
} from 'shortlist/options';
import type {
  Candidate,
  JsonIdentifier,
  SeenEvent,
  ShortlistHit,
  ShortlistRequest,
  ShortlistResponse,
  SimilarRequest,
  UpdateResponse,
} from '../shortlist/messages.ts';

/** Number of times that a request is sent again by default. */
const RETRIES = 2;

/** Options of a client. */
export interface ClientOptions {
  /** URL of the server, such as http://127.0.0.1:8501. */
  url: string;
  apiKey?: string;
  /** The model that requests name; needed if the server has several. */
  model?: string;
  /** Number of times that a request is sent again if the server's queue was full; default 2. */
  retries?: number;
  fetch?: typeof globalThis.fetch;
}

const checkOptions = optionsCheck<ClientOptions>('createClient', {
  url: required(STRING),
  apiKey: STRING,
  model: STRING,
  retries: NUMBER,
  fetch: FUNCTION,
});
const HTTP_URL = optionType('a URL of http or https', isHttpUrl);
const ARRAY = optionType('a list', Array.isArray);

/** An error response of the server. */
export class ShortlistRequestError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string;

  constructor(status: number, { error, code, requestId }: { error: string; code: string; requestId: string }) {
    super(error);
    this.name = 'ShortlistRequestError';
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

/** Options of one call, other than its request. */
export interface CallOptions {
  signal?: AbortSignal;
}

const checkCall = optionsCheck<CallOptions>('a call of the client', { signal: SIGNAL });

/** A response whose results have attributes of type M. */
export type ShortlistAnswer<M> = Omit<ShortlistResponse, 'results'> & { results: (ShortlistHit & Partial<M>)[] };

/** A client of one server. M is the type of the attributes of results. */
export class ShortlistClient<M extends object = Record<string, never>> {
  readonly #options: ClientOptions;

  /** @throws {OptionError} when an option is unknown, is missing or is of another type */
  constructor(options: ClientOptions) {
    this.#options = checkOptions(options);
    checkArgument('url', options.url, HTTP_URL);
    checkInteger('retries', options.retries ?? RETRIES, 0);
  }

  /** The best candidates for a query. @throws {ShortlistRequestError} */
  shortlist(request: ShortlistRequest, options?: CallOptions): Promise<ShortlistAnswer<M>> {
    return this.#query('/v1/shortlist', request, options);
  }

  /**
   * Candidates similar to given candidates, which are left out of the results, or to a vector.
   *
   * @throws {ShortlistRequestError}
   */
  similar(request: SimilarRequest, options?: CallOptions): Promise<ShortlistAnswer<M>> {
    return this.#query('/v1/similar', request, options);
  }

  async #query(path: string, request: object, options: CallOptions | undefined): Promise<ShortlistAnswer<M>> {
    checkArgument('request', request, OBJECT);
    const { model } = this.#options;
    const answer = await this.#post(path, model === undefined ? request : { model, ...request }, options);
    return answer as ShortlistAnswer<M>;
  }

  /** Insert or replace candidates. @throws {ShortlistRequestError} when one is refused; then none is changed */
  async upsert(candidates: readonly Candidate[], options?: CallOptions): Promise<UpdateResponse> {
    checkArgument('candidates', candidates, ARRAY);
    return (await this.#post('/v1/candidates/upsert', this.#withModel({ candidates }), options)) as UpdateResponse;
  }

  /** Remove candidates. @throws {ShortlistRequestError} */
  async delete(ids: readonly JsonIdentifier[], options?: CallOptions): Promise<UpdateResponse> {
    checkArgument('ids', ids, ARRAY);
    return (await this.#post('/v1/candidates/delete', this.#withModel({ ids }), options)) as UpdateResponse;
  }

  /**
   * Record the items that users have seen; later queries can leave them out.
   *
   * @throws {ShortlistRequestError} when an event is refused; then none is recorded
   */
  async addEvents(events: readonly SeenEvent[], options?: CallOptions): Promise<UpdateResponse> {
    checkArgument('events', events, ARRAY);
    return (await this.#post('/v1/events', this.#withModel({ events }), options)) as UpdateResponse;
  }

  #withModel<T extends object>(message: T): T & { model?: string } {
    const { model } = this.#options;
    return model === undefined ? message : { ...message, model };
  }

  async #post(path: string, message: object, options: CallOptions = {}): Promise<unknown> {
    const { signal } = checkCall(options);
    const { url, apiKey, retries = RETRIES, fetch = globalThis.fetch } = this.#options;
    const body = jsonOf(message);
    for (let tries = 0; ; tries++) {
      const response = await fetch(new URL(path, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
        body,
        ...(signal ? { signal } : {}),
      });
      if (response.ok) return response.json();
      const after = response.headers.get('retry-after');
      if ((response.status === 503 || response.status === 429) && after !== null && tries < retries) {
        await response.arrayBuffer();
        await new Promise((resolve) => setTimeout(resolve, Number(after) * 1000));
        continue;
      }
      const refusal = (await response.json().catch(() => ({}))) as Partial<
        Record<'error' | 'code' | 'requestId', string>
      >;
      const { error = response.statusText, code = 'UNKNOWN', requestId = '' } = refusal;
      throw new ShortlistRequestError(response.status, { error, code, requestId });
    }
  }
}

/** A message as JSON. @throws {OptionError} when it has a bigint or refers to itself */
function jsonOf(message: object): string {
  try {
    return JSON.stringify(message);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n', 1);
    throw new OptionError(`request: expected values that JSON can hold, got others: ${reason}`);
  }
}

function isHttpUrl(value: unknown): boolean {
  try {
    return /^https?:$/.test(new URL(value as string).protocol);
  } catch {
    return false;
  }
}

/** Make a client of a server. */
export function createClient<M extends object = Record<string, never>>(options: ClientOptions): ShortlistClient<M> {
  return new ShortlistClient<M>(options);
}
