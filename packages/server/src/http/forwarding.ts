/**
 * Requests that a replica receives and the server answers: a replica answers queries and forwards all other requests.
 *
 * They are answered as if they had been sent to the server: the same routes, the same checks of keys, the same bodies.
 */
import type { FastifyInstance, FastifyRequest, InjectOptions } from 'fastify';
import { hasBody } from '../access/site-check.ts';
import type { ServingContext } from '../context/serving-context.ts';
import { errorStyleOf, sendError } from './errors.ts';
import { buffered } from './open-inference-infer-routes.ts';
import { admit } from './requests.ts';

/** A request as it was received. */
export interface ForwardedRequest {
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: Uint8Array | undefined;
  remoteAddress: string;
}

/** Its response. */
export interface ForwardedResponse {
  status: number;
  headers: Record<string, number | string | string[] | undefined>;
  body: Uint8Array;
}

/** Has a request answered by the server. */
export type Forward = (request: ForwardedRequest) => Promise<ForwardedResponse>;

/** Headers of one connection or of a body that was read, which are not forwarded. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'expect',
  'content-encoding',
]);

/** Forward every request that no route of `app` answers. */
export function forwardOthers(app: FastifyInstance, context: ServingContext, forward: Forward): void {
  app.register(async (scope) => {
    buffered(scope);
    scope.setErrorHandler((error, request, reply) => sendError(errorStyleOf(request.url), error, request, reply));
    scope.route({
      method: app.supportedMethods,
      url: '/*',
      schema: { hide: true },
      // Fastify's own would say that there is no content.
      exposeHeadRoute: false,
      // The other process counts them.
      config: { rateLimit: false },
      // Roles are checked where it is answered; what a stranger sends is not read, let alone sent on.
      onRequest: async (request) => {
        if (hasBody(request.headers)) admit(context, request, 'read');
      },
      handler: async (request, reply) => {
        const response = await forward(requestOf(request));
        reply.code(response.status).headers(withoutConnection(response.headers));
        const length = response.headers['content-length'];
        if (request.method === 'HEAD' && length !== undefined) reply.header('content-length', length);
        // Bytes, even none, would be given a type.
        return reply.send(response.body.length > 0 ? Buffer.from(response.body) : undefined);
      },
    });
  });
}

/** Answer a request that came to another process. */
export async function answerForwarded(app: FastifyInstance, request: ForwardedRequest): Promise<ForwardedResponse> {
  const { method, url, headers, body, remoteAddress } = request;
  // `inject` resolves `..` and the like. A path that would then name another one is not found, as over a connection.
  const { pathname, search } = new URL(url, 'http://localhost');
  if (pathname + search !== url) return { status: 404, headers: {}, body: Buffer.alloc(0) };
  const {
    statusCode,
    headers: answered,
    rawPayload,
  } = await app.inject({
    method: method as NonNullable<InjectOptions['method']>,
    url,
    headers: withoutConnection(headers) as NonNullable<InjectOptions['headers']>,
    ...(body ? { payload: Buffer.from(body) } : {}),
    remoteAddress,
  });
  return { status: statusCode, headers: { ...answered }, body: rawPayload };
}

function requestOf({ method, raw, headers, body, id, ip }: FastifyRequest): ForwardedRequest {
  return {
    method,
    url: raw.url!,
    // One id in the lines of both processes.
    headers: { ...headers, 'x-request-id': id },
    body: Buffer.isBuffer(body) && body.length > 0 ? body : undefined,
    remoteAddress: ip,
  };
}

function withoutConnection<T>(headers: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name.toLowerCase())));
}
