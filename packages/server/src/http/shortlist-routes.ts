/** The plain JSON API: shortlists, updates, and changing what is served. Described in /openapi.json. */
import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { compact } from '../models/compaction.ts';
import type { Model } from '../models/model.ts';
import { checkPolicy } from '../models/version-policy.ts';
import { traced } from '../observe/tracing.ts';
import { answerShortlist, deleteCandidates, modelOf, upsertCandidates } from '../shortlist/answer.ts';
import type { DeleteRequest, ShortlistRequest, UpsertRequest } from '../shortlist/messages.ts';
import {
  DeleteRequestSchema,
  ErrorResponseSchema,
  LabelRequestSchema,
  ModelStateSchema,
  PolicyRequestSchema,
  ShortlistRequestSchema,
  ShortlistResponseSchema,
  UpdateResponseSchema,
  UpsertRequestSchema,
} from '../shortlist/schema.ts';
import { sendError } from './errors.ts';
import { admit, askOptions } from './requests.ts';

const refusals = { '4xx': ErrorResponseSchema, '5xx': ErrorResponseSchema };

/** Add the routes. */
export function shortlistRoutes(app: FastifyInstance, context: ServingContext): void {
  const { registry, metrics } = context;
  const guard = (role: 'read' | 'write', schema: FastifySchema & { summary: string }) => ({
    schema,
    // Before the body is read: a stranger's body is not worth parsing.
    onRequest: async (request: FastifyRequest) => void admit(context, request, role),
  });
  app.register(async (scope) => {
    scope.setErrorHandler((error, request, reply) => sendError('shortlist', error, request, reply));

    const shortlist = { body: ShortlistRequestSchema, response: { 200: ShortlistResponseSchema, ...refusals } };
    scope.post<{ Body: ShortlistRequest }>(
      '/v1/shortlist',
      guard('read', { summary: 'The best candidates for a query', ...shortlist }),
      (request) =>
        traced('shortlist.shortlist', {}, () => answerShortlist(registry, request.body, askOptions(context, request))),
    );

    const upsert = { body: UpsertRequestSchema, response: { 200: UpdateResponseSchema, ...refusals } };
    scope.post<{ Body: UpsertRequest }>(
      '/v1/candidates/upsert',
      guard('write', { summary: 'Insert or replace candidates', ...upsert }),
      async ({ body }) => {
        const answer = await upsertCandidates(registry, body);
        metrics.updates.inc({ model_name: answer.model, kind: 'upsert' }, answer.acknowledged);
        return answer;
      },
    );

    const remove = { body: DeleteRequestSchema, response: { 200: UpdateResponseSchema, ...refusals } };
    scope.post<{ Body: DeleteRequest }>(
      '/v1/candidates/delete',
      guard('write', { summary: 'Remove candidates', ...remove }),
      async ({ body }) => {
        const answer = await deleteCandidates(registry, body);
        metrics.updates.inc({ model_name: answer.model, kind: 'delete' }, answer.acknowledged);
        return answer;
      },
    );

    const state = { response: { 200: ModelStateSchema, ...refusals } };
    scope.get<{ Params: { model: string } }>(
      '/admin/models/:model',
      guard('read', { summary: 'Versions, labels and policy of a model', ...state }),
      async ({ params }) => describe(modelOf(registry, params.model)),
    );
    scope.put<{ Params: { model: string }; Body: unknown }>(
      '/admin/models/:model/policy',
      guard('write', {
        summary: 'Say which versions are served; a roll-back names one',
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
      guard('write', { summary: 'Give a version a label; null takes it away', body: LabelRequestSchema, ...state }),
      async ({ params, body }) => {
        const model = modelOf(registry, params.model);
        model.setLabel(params.label, body.version ?? undefined);
        return describe(model);
      },
    );
    scope.post<{ Params: { model: string } }>(
      '/admin/models/:model/compact',
      guard('write', { summary: 'Write the updates into a new version and serve it', ...state }),
      async ({ params }) => {
        const model = modelOf(registry, params.model);
        await compact(model, context.load);
        await model.reconcile();
        return describe(model);
      },
    );
    scope.post<{ Params: { model: string } }>(
      '/admin/models/:model/rebalance',
      guard('write', { summary: 'Build the index anew from its candidates as a new version and serve it', ...state }),
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
    versions: model.records.map(({ version, state, errorMessage, served, journal }) => ({
      version,
      state,
      error: errorMessage,
      candidates: served?.servable.size ?? 0,
      journal: journal && { sizeBytes: journal.sizeBytes, ...journal.recovery },
    })),
  };
}
