/**
 * Download of a served model as a bundle: a consistent copy that includes all updates, although the server keeps
 * writing to the model's folder.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { sendError } from './errors.ts';
import { guardAdmin, REFUSALS } from './requests.ts';

/** The query string: the name of a model, optional if the server has only one. */
const QUERY_SCHEMA = {
  type: 'object',
  properties: { model: { type: 'string', minLength: 1 } },
  additionalProperties: false,
};

/** Add the route. It sends a whole model, so it requires a key that may change the model. */
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
