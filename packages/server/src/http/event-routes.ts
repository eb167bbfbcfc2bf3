/** The route POST /v1/events, which records the items that users have seen. /openapi.json describes it. */
import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { appendEvents } from '../shortlist/events.ts';
import type { EventsRequest } from '../shortlist/messages.ts';
import { EventsRequestSchema, UpdateResponseSchema } from '../shortlist/schema.ts';
import { sendError } from './errors.ts';
import { guardAdmin, REFUSALS } from './requests.ts';

/** Add the route. */
export function eventRoutes(app: FastifyInstance, context: ServingContext): void {
  const { registry, metrics } = context;
  app.register(async (scope) => {
    scope.setErrorHandler((error, request, reply) => sendError('shortlist', error, request, reply));
    const events = { body: EventsRequestSchema, response: { 200: UpdateResponseSchema, ...REFUSALS } };
    scope.post<{ Body: EventsRequest }>(
      '/v1/events',
      guardAdmin(context, 'write', { summary: 'Record the items that users have seen', ...events }),
      async ({ body }) => {
        const answer = await appendEvents(registry, body);
        metrics.updates.inc({ model_name: answer.model, kind: 'seen' }, answer.acknowledged);
        return answer;
      },
    );
  });
}
