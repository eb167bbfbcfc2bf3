/**
 * The functions into which fastify compiles JSON schemas, one for each distinct schema of the process: servers of the
 * same process share them, so that a second server starts without compiling. A validator is compiled for the first request
 * that it checks, as a replica answers few of the routes and its start waits for nothing else.
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
  buildValidator: (externalSchemas, options) => {
    let compile: ReturnType<BuildCompilerFromPool> | undefined;
    const compileNow: ReturnType<BuildCompilerFromPool> = (route) => {
      compile ??= newValidatorCompiler(externalSchemas, options);
      return compile(route);
    };
    return cached(validators, (route) => atFirstUse(() => compileNow(route)), [externalSchemas, options]);
  },
  buildSerializer: (externalSchemas, options) =>
    cached(serializers, newSerializerCompiler(externalSchemas, options), [externalSchemas, options]),
};

/** Options of fastify: how requests are checked against their schemas and answers are written. */
export const SCHEMA_OPTIONS: Pick<FastifyServerOptions, 'ajv' | 'schemaController'> = {
  // Values are not converted to another type, and unknown names are refused, so that a misspelt option is noticed.
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false, verbose: true } },
  schemaController: { compilersFactory },
};

/** A validator that `compile` makes at its first use. fastify calls it, and reads the errors of a call from it. */
function atFirstUse(compile: () => Validator): Validator {
  let compiled: Validator | undefined;
  const validate = ((data: unknown) => {
    compiled ??= compile();
    const isValid = compiled(data);
    validate.errors = compiled.errors ?? null;
    return isValid;
  }) as Validator;
  return validate;
}

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
