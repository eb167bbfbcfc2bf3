/** Inference in the Open Inference Protocol's REST API, with Triton's binary extension. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServingContext } from '../context/serving-context.ts';
import { infer } from '../inference/infer.ts';
import { readInferRequest } from '../inference/rest-request.ts';
import { writeInferResponse } from '../inference/rest-response.ts';
import { traced } from '../observe/tracing.ts';
import { sendError } from './errors.ts';
import { admit, CONTENT_TYPES, requestOptions } from './requests.ts';

const JSON_LENGTH_HEADER = 'inference-header-content-length';

/** The paths of models, relative to /v2. */
export const MODEL_PATHS: readonly string[] = ['/models/:model', '/models/:model/versions/:version'];

/** The parameters of those paths. */
export interface ModelPath {
  model: string;
  version?: string;
}

/** Add the routes. */
export function openInferenceInferRoutes(app: FastifyInstance, context: ServingContext): void {
  const guarded = { onRequest: async (request: FastifyRequest) => void admit(context, request, 'read') };
  app.register(
    async (scope) => {
      buffered(scope);
      scope.setErrorHandler((error, request, reply) => sendError('inference', error, request, reply));
      for (const prefix of MODEL_PATHS) {
        scope.post<{ Params: ModelPath }>(`${prefix}/infer`, guarded, (request, reply) =>
          traced('shortlist.infer', { 'shortlist.model': request.params.model }, () =>
            answerInfer(context, request, reply),
          ),
        );
      }
    },
    { prefix: '/v2' },
  );
}

/** Read request bodies as bytes, whatever their content type. */
export function buffered(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser([...CONTENT_TYPES], { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

async function answerInfer(
  context: ServingContext,
  request: FastifyRequest<{ Params: ModelPath }>,
  reply: FastifyReply,
): Promise<unknown> {
  const { model, version = '' } = request.params;
  const header = request.headers[JSON_LENGTH_HEADER];
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const call = readInferRequest(model, version, body, Array.isArray(header) ? header[0] : header);
  const answer = await infer(context.registry, call, requestOptions(context, request));
  const response = writeInferResponse(answer, call.id, call.isBinary);
  if (response.jsonLength === undefined) reply.header('content-type', 'application/json');
  else reply.header('content-type', 'application/octet-stream').header(JSON_LENGTH_HEADER, response.jsonLength);
  return reply.send(response.body);
}
