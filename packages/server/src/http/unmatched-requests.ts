/**
 * Responses to requests that match no route: 401 without the required API key, 405 with `Allow` if the path has routes
 * for other methods, and 404 otherwise. These requests are refused before their body is read.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { ServingError } from '../status/serving-error.ts';
import { methodsOfRestPath } from '../tensorflow/rest-path.ts';
import { errorStyleOf, sendError } from './errors.ts';
import { admit } from './requests.ts';

/** The methods of each path, collected while routes are added. */
export class RouteMethods {
  readonly #routes: { path: RegExp; methods: readonly string[] }[] = [];

  /**
   * Collect the methods of the routes that are added to `app` from now on. Wildcard routes are ignored, because they
   * match every path.
   */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      if (!url.includes('*')) this.#routes.push({ path: patternOf(url), methods: [method].flat() });
    });
  }

  /** The methods that a path accepts; empty if no route has the path. */
  of(path: string): string[] {
    const routed = this.#routes.filter((route) => route.path.test(path)).flatMap(({ methods }) => methods);
    return [...new Set([...routed, ...methodsOfRestPath(path)])].sort();
  }
}

/** A pattern of the paths that match a route's URL, in which `:name` is a parameter. */
function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('/').replace(/(?<=.)\/$/, '')}/?$`);
}

/** The path of a request without its query string. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** Refuse a method that the path does not accept. Returns false, and does nothing, if the path accepts no method. */
export function refuseMethod(
  methods: RouteMethods,
  request: FastifyRequest,
  reply: FastifyReply,
  message?: string,
): boolean {
  const url = request.raw.url!;
  const allowed = methods.of(pathOf(url));
  if (allowed.length === 0 || allowed.includes(request.method)) return false;
  const expected = message ?? `method: expected ${allowed.join(' or ')} for ${pathOf(url)}, got ${request.method}`;
  reply.header('allow', allowed.join(', '));
  sendError(errorStyleOf(url), Object.assign(new Error(expected), { statusCode: 405 }), request, reply);
  return true;
}

/** Answer the requests that match no route of `app`. */
export function refuseUnmatched(app: FastifyInstance, context: ServingContext, methods: RouteMethods): void {
  // A separate scope, whose hook runs for these requests only.
  app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      const style = errorStyleOf(request.raw.url!);
      try {
        admit(context, request, 'read');
      } catch (error) {
        sendError(style, error, request, reply);
        return reply;
      }
      if (refuseMethod(methods, request, reply)) return reply;
      const got = `${request.method} ${request.raw.url}`;
      const missing = new ServingError('NOT_FOUND', `path: expected one that /openapi.json lists, got ${got}`);
      sendError(style, missing, request, reply);
      return reply;
    });
    scope.setNotFoundHandler((_request, reply) => reply.code(404).send());
  });
}
