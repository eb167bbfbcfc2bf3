/**
 * Why a request's body does not fit its schema, in words: the place, what is wrong there, and for a name that the
 * schema does not have the nearest that it has. The validator (Ajv) says "must NOT have additional properties" and no
 * name.
 */
import type { FastifySchemaValidationError } from 'fastify';
import { suggestion } from '../status/suggestion.ts';

/** The properties that the validator adds to an error with its option `verbose`. */
interface VerboseError extends FastifySchemaValidationError {
  parentSchema?: { properties?: Readonly<Record<string, unknown>>; additionalProperties?: unknown };
  data?: unknown;
}

/** The error of a request whose part, as `body`, does not fit. */
export function schemaError(errors: readonly FastifySchemaValidationError[], part: string): Error {
  const error: VerboseError = errors[0]!;
  const place = `${part}${error.instancePath.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.')}`;
  const { parentSchema, data } = error;
  // A name may be missing because it was misspelt.
  if (parentSchema?.additionalProperties === false && typeof data === 'object' && data !== null) {
    const known = Object.keys(parentSchema.properties ?? {});
    const unknown = Object.keys(data).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      return new Error(`${place}: unknown field '${unknown}'${suggestion(unknown, known, 'no field is expected')}`);
    }
  }
  return new Error(`${place} ${error.message}`);
}
