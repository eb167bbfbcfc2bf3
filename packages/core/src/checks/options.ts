/**
 * Checks of options objects at the public boundary: unknown names, missing ones, and values of another type.
 *
 * An interface of options has one table of types beside it, which the compiler holds equal to it: a name too many, a name
 * too few or a required name marked optional does not compile. The table is read once; a check then costs one look-up per
 * name that was given and allocates nothing, so that it may stand on the path of a query. Ranges are not checked here.
 */
import { OptionError } from '../errors/errors.ts';
import { nearestName } from './nearest-name.ts';
import { shown } from './numbers.ts';

/** The type of an option. The value `undefined` means that the option was not given. */
export interface OptionType<R extends boolean = false> {
  /** Completes "expected …". */
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
  readonly isRequired: R;
}

type Names<T> = T extends unknown ? keyof T : never;
type IsRequired<T, K> = T extends unknown
  ? K extends keyof T
    ? Record<never, never> extends Pick<T, K>
      ? false
      : true
    : false
  : never;

/** One type for each name of the interface T, or of all interfaces of a union. */
export type OptionTypes<T> = {
  readonly [K in Names<T> & string]: [IsRequired<T, K>] extends [true] ? OptionType<true> : OptionType<false>;
};

/** A check of options, made by `optionsCheck`; it returns its argument, or throws as documented there. */
export type OptionsCheck = <O extends object>(options: O) => O;

/** An optional value that `accepts` lets through. */
export function optionType(expected: string, accepts: (value: unknown) => boolean): OptionType {
  return { expected, accepts, isRequired: false };
}

/** The same type for an option that must be given. */
export function required({ expected, accepts }: OptionType): OptionType<true> {
  return { expected, accepts, isRequired: true };
}

/** An instance of a class; `type` returns the class when the check runs, so that modules may load in any order. */
export function instanceOf(expected: string, type: () => abstract new (...from: never) => unknown): OptionType {
  return optionType(expected, (value) => value instanceof type());
}

/** An object that has these methods or fields. */
export function objectWith(expected: string, ...names: string[]): OptionType {
  return optionType(expected, (value) => isObject(value) && names.every((name) => name in value));
}

export const ANY: OptionType = optionType('a value', () => true);
export const NUMBER: OptionType = optionType('a number', (value) => typeof value === 'number');
export const STRING: OptionType = optionType('a string', (value) => typeof value === 'string');
export const BOOLEAN: OptionType = optionType('true or false', (value) => typeof value === 'boolean');
export const FUNCTION: OptionType = optionType('a function', (value) => typeof value === 'function');
export const OBJECT: OptionType = optionType('an object', isRecord);
export const LIST: OptionType = optionType('a list', isList);
export const SIGNAL: OptionType = objectWith('an AbortSignal', 'aborted');

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** False for a Map, a Promise and other built-in objects, whose fields are no options. */
function isRecord(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Object]';
}

function isList(value: unknown): boolean {
  return isObject(value) && typeof (value as { length?: unknown }).length === 'number';
}

/**
 * The check of one kind of options.
 *
 * @param name the class or function that takes the options, as callers write it: 'ScaNN', 'fit', 'fit.earlyStopping'
 * @throws {OptionError} from the check: the options are no object, or have an unknown name, of which the nearest known one
 * is told; a required one is missing; a value is of another type
 */
export function optionsCheck<T>(name: string, types: OptionTypes<T>): OptionsCheck {
  const known = new Map<string, OptionType<boolean>>(Object.entries(types));
  const needed = [...known].filter(([, { isRequired }]) => isRequired).map(([key]) => key);
  return (options) => {
    if (!isRecord(options)) {
      throw new OptionError(`${name}: expected an object of options, got ${shown(options)}`);
    }
    for (const key in options) {
      const type = known.get(key);
      if (type === undefined) throw unknownOption(name, key, [...known.keys()]);
      const value: unknown = options[key];
      if (value !== undefined && !type.accepts(value)) {
        throw new OptionError(`${key}: expected ${type.expected} as an option of ${name}, got ${shown(value)}`);
      }
    }
    for (let i = 0; i < needed.length; i++) {
      const key = needed[i]!;
      if ((options as Record<string, unknown>)[key] === undefined) {
        const { expected } = known.get(key)!;
        throw new OptionError(`${key}: expected ${expected} as an option of ${name}, got none`);
      }
    }
    return options;
  };
}

function unknownOption(name: string, key: string, known: readonly string[]): OptionError {
  const near = nearestName(key, known);
  const expected = near === undefined ? `one of the options ${known.join(', ')}` : `a known option, nearest is ${near}`;
  return new OptionError(`${name}: expected ${expected}, got ${shown(key)}`);
}
