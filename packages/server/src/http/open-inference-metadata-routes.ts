/**
 * The Open Inference Protocol's REST API except inference: health, metadata, and Triton's repository, configuration and
 * statistics.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { modelConfig, modelMetadata, modelStatistics, repositoryIndex, serverMetadata } from '../inference/describe.ts';
import { parseVersion } from '../inference/infer.ts';
import { checkRepositoryParameters } from '../inference/repository-parameters.ts';
import type { ServedVersion } from '../models/served-version.ts';
import { invalidArgument, ServingError } from '../status/serving-error.ts';
import { shown } from '../status/shown.ts';
import { suggestion } from '../status/suggestion.ts';
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
    const { ready = false } = fieldsOf(request, ['ready', 'repository_name']);
    if (typeof ready !== 'boolean') throw invalidArgument(`ready: expected true or false, got ${shown(ready)}`);
    return repositoryIndex(registry, { ready });
  });
  scope.post<{ Params: ModelPath }>('/repository/models/:model/load', changing, async (request, reply) => {
    const model = registry.find(request.params.model);
    checkRepositoryParameters('load', parametersOf(request));
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
  scope.post<{ Params: ModelPath }>('/repository/models/:model/unload', changing, async (request, reply) => {
    const model = registry.find(request.params.model);
    checkRepositoryParameters('unload', parametersOf(request));
    await model.unload();
    return reply.send();
  });
}

/** The parameters of a request that loads or unloads a model. @throws {ServingError} when they are no object */
function parametersOf(request: FastifyRequest): object {
  const { parameters = {} } = fieldsOf(request, ['parameters', 'repository_name']);
  if (!isObject(parameters)) throw invalidArgument(`parameters: expected an object, got ${shown(parameters)}`);
  return parameters;
}

/** The fields of a body, which may be missing. @throws {ServingError} when it is no object or has an unknown field */
function fieldsOf({ body }: FastifyRequest, known: readonly string[]): Record<string, unknown> {
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  const fields = parsed(body);
  if (!isObject(fields))
    throw invalidArgument(
      `body: expected a JSON object, got ${fields === undefined ? 'something else' : shown(fields)}`,
    );
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) throw invalidArgument(`body: unknown field '${name}'${suggestion(name, known, '')}`);
  }
  return fields;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
