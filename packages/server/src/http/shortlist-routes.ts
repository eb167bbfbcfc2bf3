/**
 * The queries of the plain JSON API: the best candidates for a query, and candidates similar to others. /openapi.json
 * describes them.
 */
import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { traced } from '../observe/tracing.ts';
import type { ShortlistRequest, SimilarRequest } from '../shortlist/messages.ts';
import { answerShortlist, answerSimilar, JSON_RESULTS } from '../shortlist/operations.ts';
import { ShortlistRequestSchema, ShortlistResponseSchema, SimilarRequestSchema } from '../shortlist/schema.ts';
import { sendError } from './errors.ts';
import { guard, REFUSALS, requestOptions } from './requests.ts';

/** Add the routes. */
export function shortlistRoutes(app: FastifyInstance, context: ServingContext): void {
  app.register(async (scope) => {
    scope.setErrorHandler((error, request, reply) => sendError('shortlist', error, request, reply));
    const shortlist = { body: ShortlistRequestSchema, response: { 200: ShortlistResponseSchema, ...REFUSALS } };
    scope.post<{ Body: ShortlistRequest }>(
      '/v1/shortlist',
      guard(context, { summary: 'The best candidates for a query', ...shortlist }),
      (request) =>
        traced('shortlist.shortlist', {}, () =>
          answerShortlist(context.registry, request.body, requestOptions(context, request)),
        ),
    );
    const similar = { body: SimilarRequestSchema, response: { 200: ShortlistResponseSchema, ...REFUSALS } };
    scope.post<{ Body: SimilarRequest }>(
      '/v1/similar',
      guard(context, { summary: 'Candidates similar to candidates, or to a vector', ...similar }),
      (request) =>
        traced('shortlist.similar', {}, () =>
          answerSimilar(context.registry, request.body, requestOptions(context, request), JSON_RESULTS),
        ),
    );
  });
}
