/** What a request over HTTP says beside its body: its deadline, whether anybody still waits, and whose key it carries. */
import type { FastifyRequest, FastifySchema } from 'fastify';
import { presentedKey, type Role } from '../access/api-keys.ts';
import type { ServingContext } from '../context/serving-context.ts';
import type { RequestLimits } from '../models/run-signature.ts';
import type { RequestOptions } from '../queue/batcher.ts';
import { ErrorResponseSchema } from '../shortlist/schema.ts';

/** How refusals look in /openapi.json. */
export const REFUSALS: Record<'4xx' | '5xx', typeof ErrorResponseSchema> = {
  '4xx': ErrorResponseSchema,
  '5xx': ErrorResponseSchema,
};

/**
 * Content types of bodies: any. Those that clients send are named, because Fastify keeps who parses a named type and looks
 * for who parses another one at every request.
 */
export const CONTENT_TYPES: readonly string[] = [
  'application/json',
  'application/octet-stream',
  // What curl says unless it is told.
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

/** Deadline of a request, and whether its client has hung up: nobody scans for a socket that is gone. */
export function requestOptions(
  { limits }: ServingContext,
  { raw }: FastifyRequest,
): RequestOptions & { limits: RequestLimits } {
  return { limits, deadline: performance.now() + limits.deadlineMs, signal: new HangUp(raw.socket) };
}

/** Let a request in, or throw. */
export function admit({ keys }: ServingContext, request: FastifyRequest, role: Role): string {
  if (!keys.required) return '';
  const header = request.headers['x-api-key'];
  return keys.check(presentedKey(request.headers.authorization, Array.isArray(header) ? header[0] : header), role);
}

/** A described route for those whose key has a role. */
export function guard(
  context: ServingContext,
  role: Role,
  schema: FastifySchema & { summary: string },
): { schema: FastifySchema; onRequest: (request: FastifyRequest) => Promise<void> } {
  // Before the body is read: a stranger's body is not worth parsing.
  return { schema, onRequest: async (request) => void admit(context, request, role) };
}
