/**
 * Error messages for the parts of a request that do not match their schema, in the form `k: expected an integer of at
 * least 1, got 0`; for an unknown name they say the nearest known one. The messages of the validator (Ajv) name neither
 * the value nor, where several types are allowed, more than one of them.
 */
import type { FastifySchemaValidationError } from 'fastify';
import { memberStep } from '../status/place.ts';
import { shown } from '../status/shown.ts';
import { suggestion } from '../status/suggestion.ts';

/** The keywords of a schema from which a message says what is expected. */
interface Schema {
  type?: string | readonly string[];
  anyOf?: readonly Schema[];
  properties?: Readonly<Record<string, Schema>>;
  additionalProperties?: unknown;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  minLength?: number;
  minItems?: number;
  maxItems?: number;
}

/** The properties that the validator adds to an error with its option `verbose`. */
interface VerboseError extends FastifySchemaValidationError {
  parentSchema?: Schema;
  data?: unknown;
}

/** The error for a request of which a part, such as `body`, does not match its schema. */
export function schemaError(errors: readonly FastifySchemaValidationError[], part: string): Error {
  // Where several schemas are allowed, the errors of each come before the error of all.
  const last = errors.at(-1)!;
  const error: VerboseError = last.keyword === 'anyOf' ? last : errors[0]!;
  const place = placeOf(error.instancePath);
  const { parentSchema = {}, data } = error;
  // A missing name may have been misspelt, so an unknown name is reported first.
  if (
    parentSchema.additionalProperties === false &&
    typeof data === 'object' &&
    data !== null &&
    !Array.isArray(data)
  ) {
    const known = Object.keys(parentSchema.properties ?? {});
    const unknown = Object.keys(data).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      const where = place === '' ? part : place;
      return new Error(`${where}: unknown field '${unknown}'${suggestion(unknown, known, 'no field is expected')}`);
    }
  }
  if (error.keyword === 'required') {
    const { missingProperty: name } = error.params as { missingProperty: string };
    const expected = expectedOf(parentSchema.properties?.[name] ?? {});
    return new Error(`${place === '' ? '' : `${place}.`}${name}: expected ${expected}, got none`);
  }
  return new Error(`${place === '' ? part : place}: expected ${expectedOf(parentSchema)}, got ${shown(data)}`);
}

/** The place of a value, `candidates[1].id`, from its JSON pointer; empty for the whole part. */
function placeOf(pointer: string): string {
  const names = pointer.split('/').slice(1);
  const steps = names.map((name) =>
    /^\d+$/.test(name) ? `[${name}]` : memberStep(name.replaceAll('~1', '/').replaceAll('~0', '~')),
  );
  return steps.join('').replace(/^\./, '');
}

/** The words for the values that a schema accepts. */
function expectedOf(schema: Schema): string {
  const { type, anyOf, minimum, exclusiveMinimum, maximum, minLength, minItems, maxItems } = schema;
  if (anyOf) return anyOf.map(expectedOf).join(' or ');
  if (typeof type === 'object') return type.map((each) => expectedOf({ type: each })).join(' or ');
  switch (type) {
    case 'integer':
    case 'number': {
      const kind = type === 'integer' ? 'an integer' : 'a number';
      if (exclusiveMinimum !== undefined) return `${kind} greater than ${exclusiveMinimum}`;
      return `${kind}${rangeOf(minimum, maximum)}`;
    }
    case 'string':
      return minLength === undefined ? 'text' : 'text that is not empty';
    case 'boolean':
      return 'true or false';
    case 'array':
      return minItems === undefined || maxItems === undefined ? 'a list' : `a list of ${minItems} to ${maxItems}`;
    case 'object':
      return 'an object';
    default:
      return type ?? 'a value';
  }
}

function rangeOf(least: number | undefined, most: number | undefined): string {
  if (least === undefined) return most === undefined ? '' : ` of at most ${most}`;
  return most === undefined ? ` of at least ${least}` : ` from ${least} to ${most}`;
}
