/** The HTTP server: limits, request ids, the three APIs, metrics and /openapi.json. */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchemaValidationError,
  type FastifyServerOptions,
} from 'fastify';
import type { TlsMaterial } from '../access/tls-files.ts';
import type { ServingContext } from '../context/serving-context.ts';
import { UNKNOWN_FEATURES_HEADER } from '../servable/unknown-features.ts';
import { ServingError } from '../status/serving-error.ts';
import { adminRoutes } from './admin-routes.ts';
import { bundleRoutes } from './bundle-routes.ts';
import { candidateRoutes } from './candidate-routes.ts';
import { decompressBodies } from './content-encoding.ts';
import { errorStyleOf, sendError } from './errors.ts';
import { eventRoutes } from './event-routes.ts';
import { type Forward, forwardOthers } from './forwarding.ts';
import { healthRoutes } from './health-routes.ts';
import { openInferenceInferRoutes } from './open-inference-infer-routes.ts';
import { openInferenceMetadataRoutes } from './open-inference-metadata-routes.ts';
import { documented } from './openapi.ts';
import { RequestInitializer } from './request-initializer.ts';
import { admit } from './requests.ts';
import { retainTickObject } from './retain-tick-object.ts';
import { SCHEMA_OPTIONS } from './schema-compilers.ts';
import { schemaError } from './schema-errors.ts';
import { shortlistRoutes } from './shortlist-routes.ts';
import { REST_ALL, REST_QUERIES, tensorflowRoutes } from './tensorflow-routes.ts';
import { RouteMethods, refuseUnmatched } from './unmatched-requests.ts';
import { refuseUnreadable } from './unreadable-requests.ts';

/** Options that only the HTTP server has. */
export interface HttpOptions {
  tls?: TlsMaterial | undefined;
  /** Most requests per second from one client; undefined for no limit. */
  requestsPerSecond?: number | undefined;
  /** The function that forwards requests to the server; if it is given, this process answers only queries itself. */
  forward?: Forward | undefined;
}

/** A request id that a client sends is kept if it is short and safe to write into a log line. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;
/** Seconds for which a browser remembers the result of a CORS preflight request; Chromium's maximum. */
const PREFLIGHT_S = 7_200;
/** Load balancers keep idle connections for a minute; this is longer, so that the load balancer closes first. */
const KEEP_ALIVE_MS = 72_000;

/** Build the server; it does not listen yet. */
export async function createHttpApp(context: ServingContext, options: HttpOptions = {}): Promise<FastifyInstance> {
  const { limits, logger } = context;
  retainTickObject();
  // Ids that this server makes: one random part per process, then a count.
  const origin = randomBytes(6).toString('hex');
  let requests = 0;
  const serverOptions = {
    logController: new RequestInitializer(logger),
    ...SCHEMA_OPTIONS,
    schemaErrorFormatter: (errors: FastifySchemaValidationError[], part: string) => schemaError(errors, part),
    // Attributes may be called __proto__ or constructor; the parser makes ordinary properties of them.
    onProtoPoisoning: 'ignore' as const,
    onConstructorPoisoning: 'ignore' as const,
    bodyLimit: limits.bodyBytes,
    // Headers and body together must arrive in this time.
    requestTimeout: limits.arrivalMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle' as const,
    return503OnClosing: false,
    clientErrorHandler: refuseUnreadable(logger, limits.arrivalMs),
    // Called for a URL that cannot be decoded, which matches no route.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendError(errorStyleOf(request.raw.url!), error, request, reply),
    genReqId: ({ headers }: { headers: IncomingHttpHeaders }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : `${origin}-${++requests}`;
    },
    http: { headersTimeout: limits.arrivalMs, connectionsCheckingInterval: Math.min(1000, limits.arrivalMs) },
  };
  const app = fastify(
    (options.tls ? { ...serverOptions, https: options.tls } : serverOptions) as FastifyServerOptions,
  ) as FastifyInstance;
  app.log = logger;
  app.decorateRequest('began', 0);
  app.setErrorHandler((error, request, reply) => sendError('shortlist', error, request, reply));
  decompressBodies(app, limits.bodyBytes);
  emptyJson(app);
  // Refusals are logged where they are made; only the debug level adds a listener that logs every response.
  if (logger.isLevelEnabled('debug')) {
    app.addHook('onResponse', (request, reply, done) => {
      const { id: requestId, method, url } = request;
      logger.debug({ requestId, method, url, status: reply.statusCode, tookMs: reply.elapsedTime }, 'answered');
      done();
    });
  }
  if (options.requestsPerSecond !== undefined) {
    await app.register((await import('@fastify/rate-limit')).default, {
      max: options.requestsPerSecond,
      timeWindow: 1000,
      errorResponseBuilder: () => new ServingError('RESOURCE_EXHAUSTED', 'Too many requests', { retryAfterS: 1 }),
    });
  }
  await allowOrigins(app, context.sites.origins);
  if (options.forward) {
    queryRoutes(app, context);
    tensorflowRoutes(app, context, REST_QUERIES);
    // A bundle is too large to be forwarded: the server writes the file, and this process sends it.
    bundleRoutes(app, context);
    forwardOthers(app, context, options.forward);
  } else await allRoutes(app, context);
  await app.ready();
  return app;
}

function queryRoutes(app: FastifyInstance, context: ServingContext): void {
  shortlistRoutes(app, context);
  openInferenceInferRoutes(app, context);
}

/**
 * Read an empty body with a JSON content type as no body: a route that needs a body refuses the request with its own
 * message.
 */
function emptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('ignore', 'ignore');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, body as string, done);
  });
}

async function allRoutes(app: FastifyInstance, context: ServingContext): Promise<void> {
  const methods = new RouteMethods(app);
  // Only the process that serves /openapi.json loads this; replicas start faster without it.
  await app.register((await import('@fastify/swagger')).default, {
    transform: documented(context.limits),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Shortlist',
        version: context.serverVersion,
        description: 'Finds the best candidates for queries that are given by raw features.',
      },
    },
  });
  queryRoutes(app, context);
  tensorflowRoutes(app, context, REST_ALL, methods);
  candidateRoutes(app, context);
  eventRoutes(app, context);
  adminRoutes(app, context);
  openInferenceMetadataRoutes(app, context);
  healthRoutes(app, context);
  bundleRoutes(app, context);
  refuseUnmatched(app, context, methods);
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  for (const path of ['/metrics', '/monitoring/prometheus/metrics']) {
    app.get(path, { schema: { hide: true } }, async (request, reply) => {
      admit(context, request, 'read');
      const text = await context.metrics.text(await context.peers.metrics());
      return reply.header('content-type', context.metrics.registry.contentType).send(text);
    });
  }
}

/** Let pages of these origins ask (CORS). */
async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register((await import('@fastify/cors')).default, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT'],
    exposedHeaders: ['x-request-id', 'retry-after', UNKNOWN_FEATURES_HEADER],
    maxAge: PREFLIGHT_S,
    // An OPTIONS request that is no preflight request is refused like any other method.
    strictPreflight: false,
  });
}
