/**
 * Error messages for request bodies that do not match their schema: they name the place and the mistake and, for an
 * unknown name, the nearest known one. The messages of the validator (Ajv) do not: "must NOT have additional
 * properties".
 */
import type { FastifySchemaValidationError } from 'fastify';
import { suggestion } from '../status/suggestion.ts';

/** The properties that the validator adds to an error with its option `verbose`. */
interface VerboseError extends FastifySchemaValidationError {
  parentSchema?: { properties?: Readonly<Record<string, unknown>>; additionalProperties?: unknown };
  data?: unknown;
}

/** The error for a request of which a part, such as `body`, does not match its schema. */
export function schemaError(errors: readonly FastifySchemaValidationError[], part: string): Error {
  const error: VerboseError = errors[0]!;
  const place = `${part}${error.instancePath.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.')}`;
  const { parentSchema, data } = error;
  // A missing name may have been misspelt, so an unknown name is reported first.
  if (parentSchema?.additionalProperties === false && typeof data === 'object' && data !== null) {
    const known = Object.keys(parentSchema.properties ?? {});
    const unknown = Object.keys(data).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      return new Error(`${place}: unknown field '${unknown}'${suggestion(unknown, known, 'no field is expected')}`);
    }
  }
  return new Error(`${place} ${error.message}`);
}
