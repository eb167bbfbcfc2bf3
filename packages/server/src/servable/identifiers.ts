/**
 * Identifiers that every protocol can send: well-formed Unicode text, or signed 64-bit integers.
 *
 * An index holds identifiers of one type: text, numbers (doubles) or bigints. Requests give integers as numbers, as
 * bigints or, in JSON beyond 2^53, as text.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DataError, type Identifier } from 'shortlist';
import type { Identifiers } from 'shortlist/topk';
import { isInt64, parseInt64 } from '../json/integer.ts';
import { invalidArgument } from '../status/serving-error.ts';

/** Identifiers that are checked per turn of the event loop, which takes some tenths of a millisecond. */
const CHECKED_AT_ONCE = 1 << 14;
const SURROGATE_ALONE = /\p{Surrogate}/u;

/**
 * Check, in short steps, that every protocol can send every identifier of an index.
 *
 * @throws {DataError} naming the first that is neither a signed 64-bit integer nor well-formed text
 */
export async function checkIdentifiersOf(identifiers: Identifiers<Identifier> | undefined): Promise<void> {
  const values = identifiers?.values;
  // Row numbers and a column of 64-bit integers need no check.
  if (!values || values instanceof BigInt64Array) return;
  if (typeof values.at(0) === 'string') {
    // A column of text is stored as UTF-8 unless some text is not well-formed Unicode.
    if ((values as { encoding?: unknown }).encoding !== 'utf-16le') return;
    for (let row = 0; row < values.length; row++) {
      const text = values.at(row) as string;
      if (SURROGATE_ALONE.test(text)) {
        throw new DataError(`identifiers: expected Unicode text, got ${JSON.stringify(text)} in row ${row}`);
      }
    }
    return;
  }
  for (let row = 0; row < values.length; row++) {
    const value = values.at(row) as number | bigint;
    if (!isInt64(value)) {
      throw new DataError(`identifiers: expected text or integers of 64 bits to serve, got ${value} in row ${row}`);
    }
    if (row % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await nextTurn();
  }
}

/**
 * Check an identifier of a request: it must be text if the index holds text, else an integer, which may be given as
 * text.
 *
 * @param name name of the field in the request, for messages
 * @throws {ServingError} INVALID_ARGUMENT when no candidate can have it
 */
export function checkIdentifier(datatype: 'BYTES' | 'INT64', id: Identifier, name = 'id'): Identifier {
  if (datatype === 'BYTES') {
    if (typeof id !== 'string') throw invalidArgument(`${name}: expected text, got ${id}`);
    if (SURROGATE_ALONE.test(id)) throw invalidArgument(`${name}: expected Unicode text, got ${JSON.stringify(id)}`);
    return id;
  }
  if (typeof id === 'number' && Number.isInteger(id) && !Number.isSafeInteger(id)) {
    throw invalidArgument(
      `${name}: expected an integer beyond 2^53 as text, got the number ${id}, which may be rounded`,
    );
  }
  const integer = typeof id === 'string' ? parseInt64(id) : id;
  if (integer === undefined || !isInt64(integer)) {
    throw invalidArgument(`${name}: expected an integer of 64 bits, got ${JSON.stringify(String(id))}`);
  }
  return integer;
}

/** Whether text is well-formed Unicode, so that every protocol and file can hold it. */
export function isUnicode(text: string): boolean {
  return !SURROGATE_ALONE.test(text);
}

/** The type of the identifiers of an index. */
export type IdentifierType = 'string' | 'number' | 'bigint';

/**
 * An identifier in the type that an index holds; undefined for an integer that a double cannot hold, so that no
 * candidate can have it.
 */
export function heldIdentifier(type: IdentifierType, id: Identifier): Identifier | undefined {
  if (type === 'string') return String(id);
  if (type === 'bigint') return BigInt(id);
  const number = Number(id);
  return typeof id === 'bigint' && BigInt(number) !== id ? undefined : number;
}
