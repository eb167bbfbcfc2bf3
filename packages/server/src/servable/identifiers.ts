/**
 * Identifiers that every protocol can send: well-formed Unicode text, or signed 64-bit integers.
 *
 * An index holds identifiers of one type: text, numbers (doubles) or bigints. Requests give integers as numbers, as
 * bigints or, in JSON beyond 2^53, as text.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DataError, type Identifier } from 'shortlist';
import type { Identifiers, IdentifierValues } from 'shortlist/topk';
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
  let firstRow = 0;
  for (const piece of identifiers?.pieces() ?? []) {
    if (!isAlwaysSendable(piece)) await checkPiece(piece, firstRow);
    firstRow += piece.length;
  }
}

/** True for a column that can only hold what every protocol can send: integers of at most 64 bits, and UTF-8. */
function isAlwaysSendable(piece: PieceParts): boolean {
  const { values, ends, encoding = 'utf-8' } = piece;
  return (
    values instanceof Int32Array || values instanceof BigInt64Array || (ends !== undefined && encoding === 'utf-8')
  );
}

/** Identifiers and what their kinds of columns have: packed numbers or bigints; packed texts, with another encoding. */
type PieceParts = IdentifierValues<Identifier> & { values?: unknown; ends?: unknown; encoding?: unknown };

async function checkPiece(piece: IdentifierValues<Identifier>, firstRow: number): Promise<void> {
  for (let row = 0; row < piece.length; row++) {
    const value = piece.at(row)!;
    if (typeof value === 'string' ? SURROGATE_ALONE.test(value) : !isInt64(value)) {
      const wanted = typeof value === 'string' ? 'Unicode text' : 'text or integers of 64 bits to serve';
      const got = typeof value === 'string' ? JSON.stringify(value) : value;
      throw new DataError(`identifiers: expected ${wanted}, got ${got} in row ${firstRow + row}`);
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

/**
 * `checkIdentifier` of a candidate or an event to be stored, whose text must not be empty: tensors are padded with empty text.
 *
 * @throws {ServingError} as `checkIdentifier`, and INVALID_ARGUMENT for empty text
 */
export function checkStoredIdentifier(datatype: 'BYTES' | 'INT64', id: Identifier, name = 'id'): Identifier {
  const identifier = checkIdentifier(datatype, id, name);
  if (identifier === '') throw invalidArgument(`${name}: expected text of at least one character, got ""`);
  return identifier;
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
