/**
 * The functions into which fastify compiles JSON schemas, one for each distinct schema of the process: servers of the
 * same process share them, so that a second server starts without compiling.
 */
import ajvCompiler, { type BuildCompilerFromPool } from '@fastify/ajv-compiler';
import serializerCompiler, { type Serializer, type SerializerFactory } from '@fastify/fast-json-stringify-compiler';
import type { FastifyServerOptions } from 'fastify';

type Validator = ReturnType<ReturnType<BuildCompilerFromPool>>;

const newValidatorCompiler: BuildCompilerFromPool = ajvCompiler();
const newSerializerCompiler: SerializerFactory = serializerCompiler();
const validators = new Map<string, Validator>();
const serializers = new Map<string, Serializer>();

const compilersFactory: { buildValidator: BuildCompilerFromPool; buildSerializer: SerializerFactory } = {
  buildValidator: (externalSchemas, options) =>
    cached(validators, newValidatorCompiler(externalSchemas, options), [externalSchemas, options]),
  buildSerializer: (externalSchemas, options) =>
    cached(serializers, newSerializerCompiler(externalSchemas, options), [externalSchemas, options]),
};

/** Options of fastify: how requests are checked against their schemas and answers are written. */
export const SCHEMA_OPTIONS: Pick<FastifyServerOptions, 'ajv' | 'schemaController'> = {
  // Values are not converted to another type, and unknown names are refused, so that a misspelt option is noticed.
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false, verbose: true } },
  schemaController: { compilersFactory },
};

/**
 * A cache over `compile`. The key of a result in `known` is the schema of the route, with `madeWith`, the arguments
 * that `compile` was made with.
 */
function cached<Route, Value>(
  known: Map<string, Value>,
  compile: (route: Route) => Value,
  madeWith: unknown,
): (route: Route) => Value {
  const scope = JSON.stringify(madeWith);
  return (route) => {
    const key = scope + JSON.stringify((route as { schema?: unknown }).schema ?? null);
    let value = known.get(key);
    if (value === undefined) {
      value = compile(route);
      known.set(key, value);
    }
    return value;
  };
}
