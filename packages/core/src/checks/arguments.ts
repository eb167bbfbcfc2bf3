/**
 * Checks of arguments that are not options, at the public boundary. A program in JavaScript may pass any value; the
 * error names the argument and the expected type.
 */
import { OptionError } from '../errors/errors.ts';
import { shown } from './numbers.ts';
import { type OptionType, optionType } from './options.ts';

export const BYTES: OptionType = optionType('a Uint8Array', (value) => value instanceof Uint8Array);
export const NUMBERS: OptionType = optionType(
  'a list of numbers',
  (value) =>
    (Array.isArray(value) && value.every((each) => typeof each === 'number')) ||
    (ArrayBuffer.isView(value) && !(value instanceof DataView)),
);
export const WORDS: OptionType = optionType(
  'a list of strings',
  (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
);
export const IDENTIFIERS: OptionType = optionType(
  'a list of identifiers',
  (value) => Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView)),
);
export const ITERABLE: OptionType = optionType('an iterable', (value) => {
  const object: object = Object(value);
  return Symbol.asyncIterator in object || Symbol.iterator in object;
});
export const PATH: OptionType = optionType('a path', (value) => typeof value === 'string' || value instanceof URL);

/**
 * An argument of a type; returns it.
 *
 * @throws {OptionError} when it has another type
 */
export function checkArgument<T>(name: string, value: T, { expected, accepts }: OptionType): T {
  if (!accepts(value)) throw new OptionError(`${name}: expected ${expected}, got ${shown(value)}`);
  return value;
}
