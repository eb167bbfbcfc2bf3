/** The bundle of a model that serves, with its updates: a consistent copy of a folder that is being written to. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { sendError } from './errors.ts';
import { guardAdmin, REFUSALS } from './requests.ts';

/** The querystring: a model, which may be left out where there is one. */
const QUERY_SCHEMA = {
  type: 'object',
  properties: { model: { type: 'string', minLength: 1 } },
  additionalProperties: false,
};

/** Add the route. A whole model is what it sends: the key must be one that may change it. */
export function bundleRoutes(app: FastifyInstance, context: ServingContext): void {
  app.register(async (scope) => {
    scope.setErrorHandler((error, request, reply) => sendError('shortlist', error, request, reply));
    scope.get<{ Querystring: { model?: string } }>(
      '/v1/bundle',
      {
        ...guardAdmin(context, 'write', {
          summary: 'The newest version of a model with its updates, as a bundle file',
          querystring: QUERY_SCHEMA,
          response: {
            200: {
              description: 'The bundle.',
              content: { 'application/octet-stream': { schema: { type: 'string' } } },
            },
            ...REFUSALS,
          },
        }),
        exposeHeadRoute: false,
      },
      async ({ query }, reply) => {
        const { version, file, remove } = await context.snapshot(query.model);
        const stream = createReadStream(file);
        stream.once('close', () => void remove());
        return reply
          .header('content-type', 'application/octet-stream')
          .header('content-length', (await stat(file)).size)
          .header('content-disposition', 'attachment; filename="model.shortlist"')
          .header('x-shortlist-version', version)
          .send(stream);
      },
    );
  });
}
