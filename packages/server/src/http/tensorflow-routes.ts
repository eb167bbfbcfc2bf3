/** TF Serving's REST API and its metrics path. Every path below /v1/ that is not one of ours is answered by it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { traced } from '../observe/tracing.ts';
import { type StatusCode, toServingError } from '../status/serving-error.ts';
import { answerRest } from '../tensorflow/rest.ts';
import { parseRestPath, type RestCall } from '../tensorflow/rest-path.ts';
import { refusalOf, sendError } from './errors.ts';
import { admit, CONTENT_TYPES, requestOptions } from './requests.ts';
import { pathOf, type RouteMethods, refuseMethod } from './unmatched-requests.ts';

const asItIs = (text: string): string => text;

/** Which requests are answered. */
export interface RestRoutes {
  methods: readonly string[];
  urls: readonly string[];
}

/** Queries, which every process answers. */
export const REST_QUERIES: RestRoutes = { methods: ['POST'], urls: ['/v1/models/*'] };
/** HEAD, OPTIONS and the like are malformed requests there, too. */
export const REST_ALL: RestRoutes = { methods: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'], urls: ['/v1/*', '/V1/*'] };

/** Add the routes. */
export function tensorflowRoutes(
  app: FastifyInstance,
  context: ServingContext,
  { methods, urls }: RestRoutes,
  routeMethods?: RouteMethods,
): void {
  const { metrics, registry } = context;
  const count = (request: FastifyRequest, status: StatusCode | 'OK', started: number, model?: string): void => {
    if (request.method !== 'POST') return;
    const name = model ?? /^\/v1\/models\/([^/:]+)/i.exec(pathOf(request.raw.url!))?.[1] ?? '';
    // Models that do not exist share one series: otherwise clients could create series without bound.
    metrics.predicted(registry.has(name) ? name : '', 'REST', status, performance.now() - started);
  };
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const started = performance.now();
    const path = pathOf(request.raw.url!);
    const body = typeof request.body === 'string' ? request.body : '';
    let status: StatusCode | 'OK' = 'OK';
    let call: RestCall | undefined;
    try {
      const parsed = parseRestPath(request.method, path);
      call = parsed;
      const answered = (): Promise<string> | string =>
        answerRest(registry, parsed, body, requestOptions(context, request));
      const isPost = request.method === 'POST';
      const text = await (isPost ? traced('shortlist.predict', { 'url.path': path }, answered) : answered());
      // With a serializer of its own Fastify adds no charset to the content type, and header and text leave in one write.
      reply.header('content-type', 'application/json').serializer(asItIs).send(text);
    } catch (error) {
      status = toServingError(error).code;
      const isMalformed = call === undefined && status === 'INVALID_ARGUMENT' && routeMethods !== undefined;
      const isRefused = isMalformed && refuseMethod(routeMethods, request, reply, (error as Error).message);
      if (!isRefused) sendError('tensorflow', error, request, reply);
    } finally {
      count(request, status, started, call?.model);
    }
    // A hook may still be at it. A reply that is out would be waited for by two more turns.
    return reply.sent ? undefined : reply;
  };
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // TF Serving never looks at the content type.
    scope.addContentTypeParser([...CONTENT_TYPES], { parseAs: 'string' }, (_request, body, done) => done(null, body));
    // What is refused before its body was read counts as well.
    scope.setErrorHandler((error, request, reply) => {
      count(request, refusalOf(error, request).refusal.code, request.began);
      return sendError('tensorflow', error, request, reply);
    });
    if (context.keys.required) scope.addHook('onRequest', async (request) => void admit(context, request, 'read'));
    const schema = { hide: true };
    for (const url of urls) scope.route({ method: [...methods], url, schema, handler: answer });
  });
}
