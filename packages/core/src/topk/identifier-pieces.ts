/**
 * Identifiers of consecutive rows in little memory: whole numbers of 32 bits as int32, other numbers as float64, bigints of
 * 64 bits as int64, texts as UTF-8 (4 bytes each beside the text). A text is decoded when it is asked for. Larger bigints, whose
 * digits would take as much memory, and texts without UTF-8 stay JavaScript values.
 *
 * Hashes are those of the values, so a value has the same hash in every piece. −0 and 0 are the same value, as in a map.
 */
import { hashUnits, mixed } from '../columns/hashes.ts';
import { packTexts } from '../columns/packed-texts.ts';
import type { Identifier, IdentifierValues } from './identifier-values.ts';

/** Identifiers with their hashes: unsigned, 32 bits, equal for equal identifiers. */
export interface IdentifierPiece<I extends Identifier> extends IdentifierValues<I> {
  at(row: number): I;
  hashAt(row: number): number;
  isAt(row: number, identifier: I): boolean;
}

/** Identifiers in an array, typed or not, or made of other values. */
export class ValuesPiece<I extends Identifier> implements IdentifierPiece<I> {
  readonly values: IdentifierValues<I>;

  constructor(values: IdentifierValues<I>) {
    this.values = values;
  }

  get length(): number {
    return this.values.length;
  }

  at(row: number): I {
    return this.values.at(row)!;
  }

  hashAt(row: number): number {
    return hashIdentifier(this.values.at(row)!);
  }

  isAt(row: number, identifier: I): boolean {
    return this.values.at(row) === identifier;
  }
}

/** Identifiers of one type in the least memory that holds them. */
export function packIdentifiers<I extends Identifier>(values: readonly I[]): IdentifierPiece<I> {
  const packed: IdentifierPiece<Identifier> =
    typeof values[0] === 'string'
      ? (packTexts(values as readonly string[]) ?? new ValuesPiece(values))
      : new ValuesPiece(packWords(values as readonly number[] | readonly bigint[]));
  return packed as IdentifierPiece<I>;
}

/** Numbers, or bigints, in 4 or 8 bytes each where they fit. */
function packWords(values: readonly number[] | readonly bigint[]): IdentifierValues<number | bigint> {
  if (typeof values[0] === 'bigint') {
    const integers = BigInt64Array.from(values as readonly bigint[]);
    return integers.every((integer, row) => integer === values[row]) ? integers : values;
  }
  // int32 has no −0, which is returned as it was given.
  const fits = values.every((value) => Object.is(Number(value) | 0, value));
  return (fits ? Int32Array : Float64Array).from(values as readonly number[]);
}

/** True for a column that knows its hashes. */
export function isPiece<I extends Identifier>(values: IdentifierValues<I>): values is IdentifierPiece<I> {
  return 'hashAt' in values;
}

const word = new DataView(new ArrayBuffer(8));

/** A hash of an identifier. */
export function hashIdentifier(identifier: Identifier): number {
  if (typeof identifier === 'string') return hashUnits(identifier);
  if (typeof identifier === 'bigint') word.setBigInt64(0, BigInt.asIntN(64, identifier));
  else if ((identifier | 0) === identifier) return mixed(0, identifier);
  else word.setFloat64(0, identifier);
  return mixed(word.getUint32(0), word.getUint32(4));
}
