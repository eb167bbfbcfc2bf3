/**
 * Error responses over HTTP. Each API has its own body: TF Serving's is pretty printed, the Open Inference Protocol's
 * is one line, and the plain JSON API's adds the code and the request's id. The response to an internal error contains
 * only that id; its cause is logged.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from '../json/print.ts';
import { ServingError, type StatusCode, toServingError } from '../status/serving-error.ts';

/** The error style of the API that a path belongs to. */
export function errorStyleOf(url: string): ErrorStyle {
  if (/^\/v2(?:\/|\?|$)/.test(url)) return 'inference';
  return /^\/v1\/models/i.test(url) ? 'tensorflow' : 'shortlist';
}

/** The forms of an error body, one for each API. */
export type ErrorStyle = 'tensorflow' | 'inference' | 'shortlist';

/** HTTP status → canonical code, for errors of Fastify and its plugins. */
const CODES: Readonly<Record<number, StatusCode>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  413: 'INVALID_ARGUMENT',
  415: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

/** Convert any error to a `ServingError` and its HTTP status. */
export function refusalOf(error: unknown, request: FastifyRequest): { refusal: ServingError; httpStatus: number } {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  const known = typeof status === 'number' && !(error instanceof ServingError) ? CODES[status] : undefined;
  if (known) {
    const refusal = new ServingError(known, messageOf(error as Error, request), { cause: error });
    return { refusal, httpStatus: status as number };
  }
  const refusal = toServingError(error);
  return { refusal, httpStatus: refusal.httpStatus };
}

/** Send the response for an error. */
export function sendError(style: ErrorStyle, error: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
  const { refusal, httpStatus } = refusalOf(error, request);
  const internal = refusal.code === 'INTERNAL';
  if (internal) request.log.error({ requestId: request.id, err: refusal.cause ?? refusal }, 'request failed');
  else if (httpStatus >= 500) {
    const { id: requestId, method, url } = request;
    const tookMs = performance.now() - request.began;
    request.log.warn({ requestId, method, url, status: httpStatus, tookMs, err: refusal }, 'refused');
  }
  const message = internal ? `Internal error (request ${request.id})` : refusal.message;
  if (refusal.retryAfterS !== undefined) reply.header('retry-after', refusal.retryAfterS);
  reply.code(httpStatus).header('content-type', 'application/json');
  if (style === 'tensorflow') return reply.send(Buffer.from(errorBody(message)));
  if (style === 'inference') return reply.send(Buffer.from(`{"error":${JSON.stringify(message)}}`));
  return reply.send(JSON.stringify({ error: message, code: refusal.code, requestId: request.id }));
}

/** A better message for those errors of Fastify that do not say what to send. */
function messageOf({ message, code }: Error & { code?: string }, { headers, raw }: FastifyRequest): string {
  switch (code) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return `content-type: expected application/json, got ${headers['content-type'] ?? 'none'}`;
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return 'body: expected JSON, got other text';
    case 'FST_ERR_BAD_URL':
      return `url: expected percent-encoded UTF-8, got ${raw.url}`;
    default:
      return message;
  }
}
