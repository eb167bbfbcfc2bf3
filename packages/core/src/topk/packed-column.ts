/**
 * The identifiers of an index by row, in little memory: a base that was loaded, and identifiers that are added one by one.
 * These are kept as JavaScript values until there are 65,536 of them, which are then packed (identifier-pieces.ts). So memory is that
 * of the packed form, however many there are, and no piece of text comes near the 4 GiB that its offsets can hold.
 */
import type { IdentifierColumn, IdentifierType, RowsByIdentifier } from './identifier-column.ts';
import { type IdentifierPiece, isPiece, packIdentifiers, ValuesPiece } from './identifier-pieces.ts';
import { type Identifier, type IdentifierValues, RowNumberValues } from './identifier-values.ts';
import { RowsByHash } from './rows-by-hash.ts';

/** Rows of a packed piece: enough that the objects of a piece take some bytes for a thousand rows. */
const PIECE_SHIFT = 16;
const PIECE_ROWS = 1 << PIECE_SHIFT;
/** Decoded texts that are kept, because popular candidates are in many results. */
const RECENT = 4096;

/** A growing column of packed identifiers of one type. */
export class PackedColumn<I extends Identifier> implements IdentifierColumn<I>, IdentifierPiece<I> {
  /** The rows that come first; undefined where they were given as an array, or there are none. */
  readonly #base: IdentifierPiece<I> | undefined;
  readonly #baseRows: number;
  readonly #packed: IdentifierPiece<I>[] = [];
  #last: I[] = [];
  #lastPiece: IdentifierPiece<I> = new ValuesPiece(this.#last);
  #length: number;
  #type: IdentifierType | undefined;
  #recentRows: Int32Array | undefined;
  readonly #recent: I[] = [];

  /**
   * @param values an array, which is packed, or a column that does not change
   * @param type of the identifiers, where no value may be read for it yet, or there is none
   */
  constructor(values: IdentifierValues<I>, type?: IdentifierType) {
    const isList = Array.isArray(values);
    this.#base = isList ? undefined : isPiece(values) ? values : new ValuesPiece(values);
    this.#baseRows = this.#base?.length ?? 0;
    this.#length = this.#baseRows;
    this.#type = type ?? (values.length > 0 ? (typeof values.at(0) as IdentifierType) : undefined);
    if (isList) for (const identifier of values as readonly I[]) this.push(identifier);
  }

  /** The type of the identifiers; undefined where there was none yet and no column was given. */
  get type(): IdentifierType | undefined {
    return this.#type;
  }

  get length(): number {
    return this.#length;
  }

  /** Add an identifier of the same type. */
  push(identifier: I): void {
    if (this.#length === 0) this.#type = typeof identifier as IdentifierType;
    this.#last.push(identifier);
    this.#length++;
    if (this.#last.length < PIECE_ROWS) return;
    this.#packed.push(packIdentifiers(this.#last));
    this.#last = [];
    this.#lastPiece = new ValuesPiece(this.#last);
  }

  at(row: number): I {
    const piece = this.#pieceOf(row);
    // Only packed texts are dear to make.
    if (!('ends' in piece)) return piece.at(this.#localRow(row));
    this.#recentRows ??= new Int32Array(RECENT).fill(-1);
    const place = row % RECENT;
    if (this.#recentRows[place] !== row) {
      this.#recent[place] = piece.at(this.#localRow(row));
      this.#recentRows[place] = row;
    }
    return this.#recent[place]!;
  }

  hashAt(row: number): number {
    return this.#pieceOf(row).hashAt(this.#localRow(row));
  }

  isAt(row: number, identifier: I): boolean {
    return this.#pieceOf(row).isAt(this.#localRow(row), identifier);
  }

  /** The rows by identifier. */
  rows(): Generator<void, RowsByIdentifier<I>> {
    const isNumbers = this.#base instanceof ValuesPiece && this.#base.values instanceof RowNumberValues;
    return RowsByHash.steps(this, isNumbers ? this.#baseRows : 0);
  }

  /** A column of the same kind without rows. */
  empty(): PackedColumn<I> {
    return new PackedColumn<I>([]);
  }

  /** Packed pieces in the order of their rows; the last ones are packed now. */
  pieces(): IdentifierPiece<I>[] {
    const pieces = this.#base && this.#baseRows > 0 ? [this.#base, ...this.#packed] : [...this.#packed];
    if (this.#last.length > 0) pieces.push(packIdentifiers(this.#last));
    return pieces;
  }

  #pieceOf(row: number): IdentifierPiece<I> {
    if (row < this.#baseRows) return this.#base!;
    return this.#packed[(row - this.#baseRows) >>> PIECE_SHIFT] ?? this.#lastPiece;
  }

  #localRow(row: number): number {
    return row < this.#baseRows ? row : (row - this.#baseRows) & (PIECE_ROWS - 1);
  }
}

/** A column that packs what it is given. */
export function packedColumn<I extends Identifier>(values: IdentifierValues<I>): PackedColumn<I> {
  return new PackedColumn(values);
}
