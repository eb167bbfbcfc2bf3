/** Parts of an HTTP request other than its body: its deadline, whether its client still waits, and its API key. */
import type { FastifyRequest, FastifySchema } from 'fastify';
import { presentedKey, type Role } from '../access/api-keys.ts';
import { checkJsonType, checkNoForm, checkSite } from '../access/site-check.ts';
import type { ServingContext } from '../context/serving-context.ts';
import type { RequestLimits } from '../models/run-signature.ts';
import type { RequestOptions } from '../queue/batcher.ts';
import { ErrorResponseSchema } from '../shortlist/schema.ts';

/** The error responses in /openapi.json. */
export const REFUSALS: Record<'4xx' | '5xx', typeof ErrorResponseSchema> = {
  '4xx': ErrorResponseSchema,
  '5xx': ErrorResponseSchema,
};

/**
 * Content types of request bodies. Any type is accepted; the types that clients commonly send are listed, because
 * Fastify caches the parser of a listed type and searches for the parser of any other type on every request.
 */
export const CONTENT_TYPES: readonly string[] = [
  'application/json',
  'application/octet-stream',
  // curl's default.
  'application/x-www-form-urlencoded',
  '*',
];

/** Whether the client of a socket has hung up. */
class HangUp {
  readonly #socket: FastifyRequest['raw']['socket'];

  constructor(socket: FastifyRequest['raw']['socket']) {
    this.#socket = socket;
  }

  get aborted(): boolean {
    return this.#socket.destroyed;
  }
}

/** The deadline of a request, and a flag that is true once its client has hung up; such a request is not searched. */
export function requestOptions(
  { limits }: ServingContext,
  { raw }: FastifyRequest,
): RequestOptions & { limits: RequestLimits } {
  return { limits, deadline: performance.now() + limits.deadlineMs, signal: new HangUp(raw.socket) };
}

/** Options of a route, without its handler. */
interface GuardedRoute {
  schema: FastifySchema;
  onRequest: (request: FastifyRequest) => Promise<void>;
}

/** Check the API key of a request. @throws {ServingError} UNAUTHENTICATED or PERMISSION_DENIED */
export function admit({ keys }: ServingContext, request: FastifyRequest, role: Role): string {
  if (!keys.required) return '';
  const header = request.headers['x-api-key'];
  return keys.check(presentedKey(request.headers.authorization, Array.isArray(header) ? header[0] : header), role);
}

/**
 * `admitAdmin` for the Open Inference Protocol's repository, whose clients send JSON without a content type: only the
 * types of forms are refused, which a browser sends to another site without a CORS preflight request.
 */
export function admitChange(context: ServingContext, request: FastifyRequest): void {
  admit(context, request, 'write');
  checkSite(request.headers, context.sites, context.keys.required);
  checkNoForm(request.headers);
}

/** Options of a route with a schema that only reads. */
export function guard(context: ServingContext, schema: FastifySchema & { summary: string }): GuardedRoute {
  // This hook runs before the body is read, so that the body of a request without a key is never parsed.
  return { schema, onRequest: async (request) => void admit(context, request, 'read') };
}

/**
 * Options of a route with a schema that changes what is served, or that reveals more about the server than query
 * results.
 */
export function guardAdmin(
  context: ServingContext,
  role: Role,
  schema: FastifySchema & { summary: string },
): GuardedRoute {
  return { schema, onRequest: async (request) => admitAdmin(context, request, role) };
}

/**
 * Check the API key of a request to an administrative route, the site it comes from, and that its body is JSON.
 *
 * @throws {ServingError} UNAUTHENTICATED or PERMISSION_DENIED
 */
export function admitAdmin(context: ServingContext, request: FastifyRequest, role: Role): void {
  admit(context, request, role);
  checkSite(request.headers, context.sites, context.keys.required);
  if (request.method !== 'GET' && request.method !== 'HEAD') checkJsonType(request.headers);
}
