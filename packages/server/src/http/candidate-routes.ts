/** Live updates of candidates over REST. /openapi.json describes them. */
import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import type { DeleteRequest, UpsertRequest } from '../shortlist/messages.ts';
import { deleteCandidates, jsonIdentifier, upsertCandidates } from '../shortlist/operations.ts';
import { DeleteRequestSchema, UpdateResponseSchema, UpsertRequestSchema } from '../shortlist/schema.ts';
import { sendError } from './errors.ts';
import { guardAdmin, REFUSALS } from './requests.ts';

/** Add the routes. */
export function candidateRoutes(app: FastifyInstance, context: ServingContext): void {
  const { registry, metrics } = context;
  app.register(async (scope) => {
    scope.setErrorHandler((error, request, reply) => sendError('shortlist', error, request, reply));
    const upsert = { body: UpsertRequestSchema, response: { 200: UpdateResponseSchema, ...REFUSALS } };
    scope.post<{ Body: UpsertRequest }>(
      '/v1/candidates/upsert',
      guardAdmin(context, 'write', { summary: 'Insert or replace candidates', ...upsert }),
      async ({ body }) => {
        const answer = await upsertCandidates(registry, body, jsonIdentifier);
        metrics.updates.inc({ model_name: answer.model, kind: 'upsert' }, answer.acknowledged);
        return answer;
      },
    );

    const remove = { body: DeleteRequestSchema, response: { 200: UpdateResponseSchema, ...REFUSALS } };
    scope.post<{ Body: DeleteRequest }>(
      '/v1/candidates/delete',
      guardAdmin(context, 'write', { summary: 'Remove candidates', ...remove }),
      async ({ body }) => {
        const answer = await deleteCandidates(registry, body);
        metrics.updates.inc({ model_name: answer.model, kind: 'delete' }, answer.acknowledged);
        return answer;
      },
    );
  });
}
