/**
 * Forwarding of requests from a replica to the server: a replica answers queries itself and forwards all other
 * requests.
 *
 * The server answers a forwarded request as if it had received it directly: same routes, same checks of API keys, same
 * bodies.
 */
import type { FastifyInstance, FastifyRequest, InjectOptions } from 'fastify';
import { hasBody } from '../access/site-check.ts';
import type { ServingContext } from '../context/serving-context.ts';
import { errorStyleOf, sendError } from './errors.ts';
import { buffered } from './open-inference-infer-routes.ts';
import { admit } from './requests.ts';

/** A request as a replica received it. */
export interface ForwardedRequest {
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: Uint8Array | undefined;
  remoteAddress: string;
}

/** The server's response to a forwarded request. */
export interface ForwardedResponse {
  status: number;
  headers: Record<string, number | string | string[] | undefined>;
  body: Uint8Array;
}

/** Sends a request to the server and returns its response. */
export type Forward = (request: ForwardedRequest) => Promise<ForwardedResponse>;

/**
 * Headers that are not forwarded, because they concern one connection or the encoding of a body that was already read.
 */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'expect',
  'content-encoding',
]);

/** Forward every request that matches no route of `app`. */
export function forwardOthers(app: FastifyInstance, context: ServingContext, forward: Forward): void {
  app.register(async (scope) => {
    buffered(scope);
    scope.setErrorHandler((error, request, reply) => sendError(errorStyleOf(request.url), error, request, reply));
    scope.route({
      method: app.supportedMethods,
      url: '/*',
      schema: { hide: true },
      // Fastify's own HEAD routes would respond with a length of 0.
      exposeHeadRoute: false,
      // The server counts these requests.
      config: { rateLimit: false },
      // The server checks the role of the key. Here any valid key is enough; without one the body is neither read nor
      // forwarded.
      onRequest: async (request) => {
        if (hasBody(request.headers)) admit(context, request, 'read');
      },
      handler: async (request, reply) => {
        const response = await forward(requestOf(request));
        reply.code(response.status).headers(withoutConnection(response.headers));
        const length = response.headers['content-length'];
        if (request.method === 'HEAD' && length !== undefined) reply.header('content-length', length);
        // Fastify would add a content type to a body of bytes, even to an empty one.
        return reply.send(response.body.length > 0 ? Buffer.from(response.body) : undefined);
      },
    });
  });
}

/** Answer a request that a replica received. */
export async function answerForwarded(app: FastifyInstance, request: ForwardedRequest): Promise<ForwardedResponse> {
  const { method, url, headers, body, remoteAddress } = request;
  // `inject` resolves `..` in paths. A path that this would change is refused as not found, as it is over a connection.
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
    // Both processes log the request under the same id.
    headers: { ...headers, 'x-request-id': id },
    body: Buffer.isBuffer(body) && body.length > 0 ? body : undefined,
    remoteAddress: ip,
  };
}

function withoutConnection<T>(headers: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name.toLowerCase())));
}
