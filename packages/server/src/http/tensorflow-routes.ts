/**
 * TF Serving's REST API and its metrics path. It handles every path below /v1/ that is not a route of the plain JSON
 * API.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { traced } from '../observe/tracing.ts';
import { UNKNOWN_FEATURES_HEADER } from '../servable/unknown-features.ts';
import { type StatusCode, toServingError } from '../status/serving-error.ts';
import { answerRest } from '../tensorflow/rest.ts';
import { parseRestPath, type RestCall } from '../tensorflow/rest-path.ts';
import { errorStyleOf, refusalOf, sendError } from './errors.ts';
import { admit, CONTENT_TYPES, requestOptions } from './requests.ts';
import { pathOf, type RouteMethods, refuseMethod } from './unmatched-requests.ts';

const asItIs = (text: string): string => text;

/** The methods and URLs of a set of routes. */
export interface RestRoutes {
  methods: readonly string[];
  urls: readonly string[];
}

/** Prediction requests, which every process answers. */
export const REST_QUERIES: RestRoutes = { methods: ['POST'], urls: ['/v1/models/*'] };
/** All requests of TF Serving's REST API. Other methods, such as HEAD, are malformed requests in TF Serving, too. */
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
    // Models that do not exist share one series of metrics; otherwise clients could create series without bound.
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
        answerRest(registry, parsed, body, {
          ...requestOptions(context, request),
          onUnknownFeatures: (text) => void reply.header(UNKNOWN_FEATURES_HEADER, text),
        });
      const isPost = request.method === 'POST';
      const text = await (isPost ? traced('shortlist.predict', { 'url.path': path }, answered) : answered());
      // With its own serializer a reply gets no charset in its content type, and header and body are sent in one write.
      reply.header('content-type', 'application/json').serializer(asItIs).send(text);
    } catch (error) {
      status = toServingError(error).code;
      const isMalformed = call === undefined && status === 'INVALID_ARGUMENT' && routeMethods !== undefined;
      // Below /v1/ there are also paths of the plain JSON API, whose errors have another form.
      const said = errorStyleOf(request.raw.url!) === 'tensorflow' ? (error as Error).message : undefined;
      const isRefused = isMalformed && refuseMethod(routeMethods, request, reply, said);
      if (!isRefused) sendError('tensorflow', error, request, reply);
    } finally {
      count(request, status, started, call?.model);
    }
    // The reply may not have been sent yet, because a hook is still running. If it was sent, waiting for it would take
    // two more turns of the event loop.
    return reply.sent ? undefined : reply;
  };
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // TF Serving ignores the content type.
    scope.addContentTypeParser([...CONTENT_TYPES], { parseAs: 'string' }, (_request, body, done) => done(null, body));
    // Requests that are refused before their body was read are counted, too.
    scope.setErrorHandler((error, request, reply) => {
      count(request, refusalOf(error, request).refusal.code, request.began);
      return sendError('tensorflow', error, request, reply);
    });
    if (context.keys.required) scope.addHook('onRequest', async (request) => void admit(context, request, 'read'));
    const schema = { hide: true };
    for (const url of urls) scope.route({ method: [...methods], url, schema, handler: answer });
  });
}
