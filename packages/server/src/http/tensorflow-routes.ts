/** TF Serving's REST API and its metrics path. Every path below /v1/ that is not one of ours is answered by it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { traced } from '../observe/tracing.ts';
import { type StatusCode, toServingError } from '../status/serving-error.ts';
import { answerRest } from '../tensorflow/rest.ts';
import { parseRestPath, type RestCall } from '../tensorflow/rest-path.ts';
import { sendError } from './errors.ts';
import { admit, CONTENT_TYPES, requestOptions } from './requests.ts';

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
export function tensorflowRoutes(app: FastifyInstance, context: ServingContext, { methods, urls }: RestRoutes): void {
  const { metrics } = context;
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const started = performance.now();
    const url = request.raw.url!;
    const queryAt = url.indexOf('?');
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    const body = typeof request.body === 'string' ? request.body : '';
    const predicts = request.method === 'POST';
    let status: StatusCode | 'OK' = 'OK';
    let call: RestCall | undefined;
    try {
      admit(context, request, 'read');
      const asked = parseRestPath(request.method, path);
      call = asked;
      const answered = (): Promise<string> | string =>
        answerRest(context.registry, asked, body, requestOptions(context, request));
      const text = await (predicts ? traced('shortlist.predict', { 'url.path': path }, answered) : answered());
      // With a serializer of its own Fastify adds no charset to the content type, and header and text leave in one write.
      reply.header('content-type', 'application/json').serializer(asItIs).send(text);
    } catch (error) {
      status = toServingError(error).code;
      sendError('tensorflow', error, request, reply);
    } finally {
      if (predicts) {
        // Models that do not exist share one series: otherwise clients could create series without bound.
        const model = call?.model ?? /^\/v1\/models\/([^/:]+)/i.exec(path)?.[1] ?? '';
        const model_name = context.registry.has(model) ? model : '';
        metrics.predicted(model_name, 'REST', status, performance.now() - started);
      }
    }
    // A hook may still be at it. A reply that is out would be waited for by two more turns.
    return reply.sent ? undefined : reply;
  };
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // TF Serving never looks at the content type.
    scope.addContentTypeParser([...CONTENT_TYPES], { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, request, reply) => sendError('tensorflow', error, request, reply));
    const schema = { hide: true };
    for (const url of urls) scope.route({ method: [...methods], url, schema, handler: answer });
  });
}
