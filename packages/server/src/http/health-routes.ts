/** Liveness and readiness probes for orchestrators such as Kubernetes. They need no API key. */
import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';

/** Liveness paths: they respond with 200 as long as the event loop runs. */
const LIVE_PATHS = ['/livez'];
/**
 * Readiness paths: they respond with 200 while every model serves a version, and with 503 before that and once the
 * server drains.
 */
const READY_PATHS = ['/healthz', '/readyz'];

/** Add the routes, with the names that Kubernetes uses; the Open Inference Protocol's are below /v2/health. */
export function healthRoutes(app: FastifyInstance, context: ServingContext): void {
  const schema = { hide: true };
  for (const path of LIVE_PATHS) app.get(path, { schema }, async () => 'ok\n');
  for (const path of READY_PATHS) {
    app.get(path, { schema }, async (_request, reply) => {
      const isReady = context.isReady();
      return reply.code(isReady ? 200 : 503).send(isReady ? 'ok\n' : 'not ready\n');
    });
  }
}
