/**
 * The Open Inference Protocol's REST API except inference: health, metadata, and Triton's repository, configuration and
 * statistics.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { modelConfig, modelMetadata, modelStatistics, repositoryIndex, serverMetadata } from '../inference/describe.ts';
import { parseVersion } from '../inference/infer.ts';
import type { ServedVersion } from '../models/served-version.ts';
import { ServingError } from '../status/serving-error.ts';
import { sendError } from './errors.ts';
import { buffered, MODEL_PATHS, type ModelPath } from './open-inference-infer-routes.ts';
import { admit, admitChange } from './requests.ts';

/** Add the routes. */
export function openInferenceMetadataRoutes(app: FastifyInstance, context: ServingContext): void {
  app.register(
    async (scope) => {
      buffered(scope);
      scope.setErrorHandler((error, request, reply) => sendError('inference', error, request, reply));
      healthRoutes(scope, context);
      modelRoutes(scope, context);
      repositoryRoutes(scope, context);
    },
    { prefix: '/v2' },
  );
}

function healthRoutes(scope: FastifyInstance, context: ServingContext): void {
  const { registry } = context;
  // The health routes need no key, because probes have none.
  scope.get('/health/live', async () => ({ live: true }));
  scope.get('/health/ready', async (_request, reply) =>
    reply.code(context.isReady() ? 200 : 503).send({ ready: context.isReady() }),
  );
  for (const path of ['/models/:model/ready', '/models/:model/versions/:version/ready']) {
    // Only clients with a key may learn the names of the models.
    const guarded = { onRequest: async (request: FastifyRequest) => void admit(context, request, 'read') };
    scope.get<{ Params: ModelPath }>(path, guarded, async ({ params }, reply) => {
      const { model, version = '' } = params;
      registry.choose(model, { version: parseVersion(version) });
      return reply.code(context.isReady() ? 200 : 503).send({ name: model, ready: context.isReady() });
    });
  }
}

function modelRoutes(scope: FastifyInstance, context: ServingContext): void {
  const { registry, limits } = context;
  const guarded = { onRequest: async (request: FastifyRequest) => void admit(context, request, 'read') };
  const choose = ({ model, version = '' }: ModelPath): ServedVersion =>
    registry.choose(model, { version: parseVersion(version) });

  scope.get('/', guarded, async () => serverMetadata(context.serverVersion));
  scope.get('/models', guarded, async () => ({ models: registry.models.map(({ name }) => name) }));
  scope.get('/models/stats', guarded, async () => modelStatistics(registry.served, await context.peers.statistics()));
  for (const prefix of MODEL_PATHS) {
    scope.get<{ Params: ModelPath }>(prefix, guarded, async ({ params }) =>
      modelMetadata(registry.find(params.model), choose(params)),
    );
    scope.get<{ Params: ModelPath }>(`${prefix}/config`, guarded, async ({ params }) =>
      modelConfig(choose(params), limits.queries),
    );
    scope.get<{ Params: ModelPath }>(`${prefix}/stats`, guarded, async ({ params }) =>
      modelStatistics([choose(params)], await context.peers.statistics()),
    );
  }
}

function repositoryRoutes(scope: FastifyInstance, context: ServingContext): void {
  const { registry } = context;
  const readable = { onRequest: async (request: FastifyRequest) => void admit(context, request, 'read') };
  const changing = { onRequest: async (request: FastifyRequest) => admitChange(context, request) };
  scope.post('/repository/index', readable, async (request) => {
    const body = Buffer.isBuffer(request.body) && request.body.length > 0 ? parseObject(request.body) : {};
    return repositoryIndex(registry, { ready: body.ready === true });
  });
  scope.post<{ Params: ModelPath }>('/repository/models/:model/load', changing, async ({ params }, reply) => {
    const model = registry.find(params.model);
    await model.load();
    const failed = model.records.find(({ errorCode }) => errorCode !== 'OK');
    if (!model.newest) {
      throw new ServingError(
        'INVALID_ARGUMENT',
        `failed to load '${model.name}', ${failed?.errorMessage ?? 'no version found'}`,
      );
    }
    return reply.send();
  });
  scope.post<{ Params: ModelPath }>('/repository/models/:model/unload', changing, async ({ params }, reply) => {
    await registry.find(params.model).unload();
    return reply.send();
  });
}

function parseObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // The check below refuses it.
  }
  throw new ServingError('INVALID_ARGUMENT', 'expected a JSON object');
}
