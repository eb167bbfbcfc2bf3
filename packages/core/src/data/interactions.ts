/**
 * Interactions of users with items, as dictionary-encoded columns. All functions that split data, train and evaluate take
 * them. The columns are typed arrays, and every identifier is held once, so that twenty million rows fit into memory.
 *
 * Letters: N rows; row i says that user `users.vocabulary[users.codes[i]]` chose item `items.vocabulary[items.codes[i]]`.
 */

import { checkArgument, NUMBERS, WORDS } from '../checks/arguments.ts';
import { instanceOf, LIST, NUMBER, objectWith } from '../checks/options.ts';
import { NotFiniteError, OptionError, ShapeError } from '../errors/errors.ts';

const CODES = instanceOf('an Int32Array', () => Int32Array);

/** A column of words, each held once. */
export interface DictionaryColumn {
  /** [N] places in the vocabulary. */
  readonly codes: Int32Array;
  /** The distinct words; some may occur in no row. */
  readonly vocabulary: readonly string[];
}

/** The columns of `N` interactions; row i is element i of every column. */
export interface InteractionColumns {
  readonly users: DictionaryColumn;
  readonly items: DictionaryColumn;
  /** [N] seconds since 1970-01-01 UTC; without them a later row counts as a later time. */
  readonly times?: Float64Array | undefined;
  /** [N] what the user gave: stars, plays, an amount. */
  readonly values?: Float32Array | undefined;
  /** [N] how much a row counts, ≥ 0; default 1. */
  readonly weights?: Float32Array | undefined;
}

/** Interactions whose columns are known to fit together. */
export interface Interactions extends InteractionColumns {
  /** N. */
  readonly length: number;
}

/**
 * Check columns and make interactions of them; nothing is copied.
 *
 * @throws {ShapeError} when columns differ in length, or a code is not a place in its vocabulary
 * @throws {NotFiniteError} when a time, value or weight is NaN or infinite
 * @throws {OptionError} when a weight is negative
 */
export function interactionsOf(columns: InteractionColumns): Interactions {
  checkColumns('interactions', columns);
  const { users, items, times, values, weights } = columns;
  const { length } = users.codes;
  for (const [name, column] of Object.entries({ items: items.codes, times, values, weights })) {
    if (column && column.length !== length) {
      throw new ShapeError(`interactions.${name}: expected ${length} rows as users have, got ${column.length}`);
    }
  }
  checkCodes('interactions.users', users);
  checkCodes('interactions.items', items);
  for (const [name, column] of Object.entries({ times, values, weights })) {
    const at = column ? column.findIndex((number) => !Number.isFinite(number)) : -1;
    if (at >= 0) {
      throw new NotFiniteError(`interactions.${name}: expected finite numbers, got ${column![at]} in row ${at}`);
    }
  }
  const negative = weights ? weights.findIndex((weight) => weight < 0) : -1;
  if (negative >= 0) {
    throw new OptionError(
      `interactions.weights: expected numbers of at least 0, got ${weights![negative]} in row ${negative}`,
    );
  }
  return { length, users, items, times, values, weights };
}

/**
 * Check that a value has the columns of interactions; returns it. What is in them, `interactionsOf` has checked.
 *
 * @throws {OptionError} when it has not
 */
export function checkInteractions(interactions: Interactions): Interactions {
  checkColumns('interactions', interactions);
  checkArgument('interactions.length', interactions.length, NUMBER);
  return interactions;
}

function checkColumns(name: string, columns: InteractionColumns): void {
  checkArgument(name, columns, objectWith('interactions with the columns users and items', 'users', 'items'));
  for (const key of ['users', 'items'] as const) {
    checkArgument(`${name}.${key}`, columns[key], objectWith('codes and a vocabulary', 'codes', 'vocabulary'));
    checkArgument(`${name}.${key}.codes`, columns[key].codes, CODES);
    checkArgument(`${name}.${key}.vocabulary`, columns[key].vocabulary, LIST);
  }
  for (const key of ['times', 'values', 'weights'] as const) {
    if (columns[key] !== undefined) checkArgument(`${name}.${key}`, columns[key], NUMBERS);
  }
}

function checkCodes(name: string, { codes, vocabulary }: DictionaryColumn): void {
  const at = codes.findIndex((code) => code < 0 || code >= vocabulary.length);
  if (at < 0) return;
  const range =
    vocabulary.length === 0 ? 'none, as the vocabulary is empty' : `codes from 0 to ${vocabulary.length - 1}`;
  throw new ShapeError(`${name}.codes: expected ${range}, got ${codes[at]} in row ${at}`);
}

/** A column of words as codes; words are numbered in the order in which they appear. */
export function dictionaryColumn(words: readonly string[]): DictionaryColumn {
  checkArgument('words', words, WORDS);
  const codeOf = new Map<string, number>();
  const codes = new Int32Array(words.length);
  words.forEach((word, i) => {
    let code = codeOf.get(word);
    if (code === undefined) {
      code = codeOf.size;
      codeOf.set(word, code);
    }
    codes[i] = code;
  });
  return { codes, vocabulary: [...codeOf.keys()] };
}

/**
 * The interactions at `rows`, in that order; vocabularies stay whole, so that codes mean the same.
 *
 * @throws {ShapeError} when a row is not one of the interactions
 */
export function takeInteractions(interactions: Interactions, rows: Int32Array): Interactions {
  checkInteractions(interactions);
  checkArgument('rows', rows, CODES);
  const wrong = rows.findIndex((row) => row < 0 || row >= interactions.length);
  if (wrong >= 0) {
    throw new ShapeError(`rows: expected integers from 0 to ${interactions.length - 1}, got ${rows[wrong]}`);
  }
  const { users, items, times, values, weights } = interactions;
  return {
    length: rows.length,
    users: { codes: rows.map((row) => users.codes[row]!), vocabulary: users.vocabulary },
    items: { codes: rows.map((row) => items.codes[row]!), vocabulary: items.vocabulary },
    times: times && numbersAt(times, rows, new Float64Array(rows.length)),
    values: values && numbersAt(values, rows, new Float32Array(rows.length)),
    weights: weights && numbersAt(weights, rows, new Float32Array(rows.length)),
  };
}

/** `taken` with the numbers at `rows`. (`Float64Array.from` of a typed array and a function takes forty times as long.) */
function numbersAt<T extends Float32Array | Float64Array>(numbers: T, rows: Int32Array, taken: T): T {
  rows.forEach((row, i) => {
    taken[i] = numbers[row]!;
  });
  return taken;
}

/** Row numbers in the order of time, earliest first; rows of one time, and all rows without times, in their own order. */
export function rowsByTime({ length, times }: Interactions): Int32Array {
  const rows = Int32Array.from({ length }, (_, row) => row);
  return times ? rows.sort((a, b) => times[a]! - times[b]! || a - b) : rows;
}
