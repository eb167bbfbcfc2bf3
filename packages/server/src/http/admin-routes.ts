/** Routes that change what is served: version policies, labels, compaction. /openapi.json describes them. */
import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { compact } from '../models/compaction.ts';
import type { Model } from '../models/model.ts';
import { checkPolicy } from '../models/version-policy.ts';
import { modelOf } from '../shortlist/operations.ts';
import { LabelRequestSchema, ModelStateSchema, NoFieldsSchema, PolicyRequestSchema } from '../shortlist/schema.ts';
import { sendError } from './errors.ts';
import { guardAdmin, REFUSALS } from './requests.ts';

/** Add the routes. */
export function adminRoutes(app: FastifyInstance, context: ServingContext): void {
  const { registry } = context;
  app.register(async (scope) => {
    scope.setErrorHandler((error, request, reply) => sendError('shortlist', error, request, reply));
    const state = { response: { 200: ModelStateSchema, ...REFUSALS } };
    scope.get<{ Params: { model: string } }>(
      '/admin/models/:model',
      guardAdmin(context, 'read', { summary: 'Versions, labels and policy of a model', ...state }),
      async ({ params }) => describe(modelOf(registry, params.model)),
    );
    scope.put<{ Params: { model: string }; Body: unknown }>(
      '/admin/models/:model/policy',
      guardAdmin(context, 'write', {
        summary: 'Set which versions are served; to roll back, name one',
        body: PolicyRequestSchema,
        ...state,
      }),
      async ({ params, body }) => {
        const model = modelOf(registry, params.model);
        await model.setPolicy(checkPolicy(body));
        return describe(model);
      },
    );
    scope.put<{ Params: { model: string; label: string }; Body: { version: number | null } }>(
      '/admin/models/:model/labels/:label',
      guardAdmin(context, 'write', {
        summary: 'Give a version a label; null removes the label',
        body: LabelRequestSchema,
        ...state,
      }),
      async ({ params, body }) => {
        const model = modelOf(registry, params.model);
        model.setLabel(params.label, body.version ?? undefined);
        await model.followers.shown();
        return describe(model);
      },
    );
    scope.post<{ Params: { model: string } }>(
      '/admin/models/:model/compact',
      guardAdmin(context, 'write', {
        summary: 'Write the updates into a new version and serve it',
        body: NoFieldsSchema,
        ...state,
      }),
      async ({ params }) => {
        const model = modelOf(registry, params.model);
        await compact(model, context.load);
        await model.reconcile();
        return describe(model);
      },
    );
    scope.post<{ Params: { model: string } }>(
      '/admin/models/:model/rebalance',
      guardAdmin(context, 'write', {
        summary: 'Rebuild the index from its candidates as a new version and serve it',
        body: NoFieldsSchema,
        ...state,
      }),
      async ({ params }) => {
        const model = modelOf(registry, params.model);
        await compact(model, context.load, { rebalance: true });
        await model.reconcile();
        return describe(model);
      },
    );
  });
}

function describe(model: Model): object {
  return {
    model: model.name,
    policy: model.policy,
    labels: Object.fromEntries(model.labels),
    versions: model.records.map(({ version, state, errorMessage, served, journal, foreign }) => ({
      version,
      state,
      error: errorMessage,
      candidates: served?.servable.size ?? 0,
      updatesRefused: foreign?.refused.reason ?? journal?.refused,
      journal: journal && { ...journal.recovery, sizeBytes: journal.sizeBytes, records: journal.records },
    })),
  };
}
