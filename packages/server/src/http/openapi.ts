/**
 * The parts of /openapi.json that are not in the schemas that requests are checked against: the bodies of the Open
 * Inference Protocol, which has its own parser, and bounds that depend on the server's options.
 *
 * Limit: the schemas do not describe what depends on the loaded model (features, dimensions, the type of identifiers).
 * The server refuses such a wrong value with 400.
 */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import type { ServerLimits } from '../context/serving-context.ts';

type JsonSchema = Record<string, unknown>;

const object = (properties: Record<string, JsonSchema>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  required: [...required],
});

/** The error body of the Open Inference Protocol. */
const REFUSAL: JsonSchema = object({ error: { type: 'string' } }, ['error']);
const VALUE: JsonSchema = { description: 'A JSON value of the Open Inference Protocol.' };
/** The response to loading and unloading, which has no body. */
const NOTHING: JsonSchema = { type: 'null', description: 'Done.' };
const VERSION: JsonSchema = { type: 'string', pattern: '^[0-9]{1,15}$' };

/** The schema of one tensor of a request. */
const TENSOR: JsonSchema = object(
  {
    name: { type: 'string', minLength: 1 },
    shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
    datatype: { type: 'string' },
    data: { type: 'array' },
    parameters: { type: 'object' },
  },
  ['name', 'shape', 'datatype'],
);
const INFER_REQUEST: JsonSchema = object(
  {
    id: { type: 'string' },
    parameters: { type: 'object' },
    inputs: { type: 'array', items: TENSOR, minItems: 1 },
    outputs: { type: 'array', items: object({ name: { type: 'string', minLength: 1 } }, ['name']) },
  },
  ['inputs'],
);

/** Complete the schema of a route for /openapi.json; the schema that the route checks requests against is unchanged. */
export function documented(limits: ServerLimits): NonNullable<FastifyDynamicSwaggerOptions['transform']> {
  return ({ schema, url }) => {
    if (url === '/v1/shortlist') return { url, schema: querySchema(schema, limits, OF_QUERY) };
    if (url === '/v1/similar') return { url, schema: querySchema(schema, limits, OF_CANDIDATES) };
    if (!/^\/v2(?:\/|$)/.test(url)) return { url, schema };
    const parameters = [...url.matchAll(/:(\w+)/g)].map(([, name]) => name!);
    const properties = Object.fromEntries(
      parameters.map((name) => [name, name === 'version' ? VERSION : { type: 'string', minLength: 1 }]),
    );
    return {
      url,
      schema: {
        ...schema,
        ...(parameters.length > 0 ? { params: object(properties, parameters) } : {}),
        ...(url.endsWith('/infer') ? { body: INFER_REQUEST } : {}),
        response: {
          200: /load$/.test(url) ? NOTHING : VALUE,
          '4xx': REFUSAL,
          '5xx': url.endsWith('/ready') ? VALUE : REFUSAL,
        },
      },
    };
  };
}

/** The allowed ways to state a query: `query`, `history`, both, or `embedding`. */
const OF_QUERY: readonly JsonSchema[] = [
  { anyOf: [{ required: ['query'] }, { required: ['history'] }], not: { required: ['embedding'] } },
  { required: ['embedding'], not: { anyOf: [{ required: ['query'] }, { required: ['history'] }] } },
];
/** The allowed ways to state what results are to be similar to: `ids` or `embedding`. */
const OF_CANDIDATES: readonly JsonSchema[] = [{ required: ['ids'] }, { required: ['embedding'] }];

/**
 * A schema that requires exactly one of several sets of fields, and limits results and numbers as the server's options
 * do.
 */
function querySchema(schema: FastifySchema, limits: ServerLimits, oneOf: readonly JsonSchema[]): FastifySchema {
  const body = schema.body as { properties: Record<string, JsonSchema> };
  const { k, ...properties } = body.properties;
  return {
    ...schema,
    body: {
      ...body,
      properties: { ...properties, k: { ...k, maximum: limits.k } },
      oneOf,
    },
  };
}
