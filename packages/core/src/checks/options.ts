/**
 * Checks of options objects at the public boundary: unknown names, missing ones, and values of another type.
 *
 * An interface of options has one table of types beside it, which the compiler holds equal to it: a name too many, a name
 * too few or a required name marked optional does not compile. The table is read once; a check then costs one look-up a
 * name that was given and allocates nothing, so that it may stand on the path of a query. Ranges are not checked here.
 */
import { OptionError } from '../errors/errors.ts';
import { shown } from './numbers.ts';

/** What an option may be. `undefined` stands for an option that was not given. */
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

/** Throws what `checkOptions` documents; gives its argument back. */
export type OptionsCheck = <O extends object>(options: O) => O;

/** An optional value that `accepts` lets through. */
export function optionType(expected: string, accepts: (value: unknown) => boolean): OptionType {
  return { expected, accepts, isRequired: false };
}

/** The same, but it must be given. */
export function required({ expected, accepts }: OptionType): OptionType<true> {
  return { expected, accepts, isRequired: true };
}

/** An instance of a class; the class is asked for late, so that files may be read in any order. */
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
export const OBJECT: OptionType = optionType('an object', (value) => isObject(value) && !Array.isArray(value));
export const LIST: OptionType = optionType('a list', isList);
export const SIGNAL: OptionType = objectWith('an AbortSignal', 'aborted');

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isList(value: unknown): boolean {
  return isObject(value) && typeof (value as { length?: unknown }).length === 'number';
}

/**
 * The check of one kind of options.
 *
 * @param name what takes the options, as a caller writes it: 'ScaNN', 'fit', 'fit.earlyStopping'
 * @throws {OptionError} from the check: the options are no object, or have an unknown name, of which the nearest known one
 * is told; a required one is missing; a value is of another type
 */
export function optionsCheck<T>(name: string, types: OptionTypes<T>): OptionsCheck {
  const known = new Map<string, OptionType<boolean>>(Object.entries(types));
  const needed = [...known].filter(([, { isRequired }]) => isRequired).map(([key]) => key);
  return (options) => {
    if (!isObject(options) || Array.isArray(options)) {
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
  const near = nearest(key, known);
  const expected = near === undefined ? `one of the options ${known.join(', ')}` : `a known option, nearest is ${near}`;
  return new OptionError(`${name}: expected ${expected}, got ${shown(key)}`);
}

/** The known name that takes the fewest edits to reach, unless that is most of the name and neither holds the other. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(2, Math.ceil(name.length / 2)) + 1;
  for (const other of known) {
    const [a, b] = [name.toLowerCase(), other.toLowerCase()];
    const isPart = Math.min(a.length, b.length) > 2 && (a.includes(b) || b.includes(a));
    const edits = isPart ? 1 : editDistance(a, b);
    if (edits < fewest) [best, fewest] = [other, edits];
  }
  return best;
}

/** Letters to insert, delete or replace (Levenshtein). Names are cut to 64 letters. */
function editDistance(a: string, b: string): number {
  const [from, to] = [a.slice(0, 64), b.slice(0, 64)];
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
