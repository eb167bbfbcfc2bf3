/**
 * Rows by identifier, for a growing column: a hash table of row numbers (columns/hash-slots.ts), which reads the
 * identifiers in the column. It takes 6 bytes per row, and 4 more from the first repeated identifier on. Numbers and bigints
 * that ascend need no table: they are found by binary search.
 *
 * Rows that are added later go into tables of their own, each twice as large as the one before, so that adding a row never
 * makes a large table again.
 */
import { HashSlots } from '../columns/hash-slots.ts';
import { touchPages } from '../parallel/steps.ts';
import type { RowsByIdentifier } from './identifier-column.ts';
import { hashIdentifier, type IdentifierPiece } from './identifier-pieces.ts';
import type { Identifier } from './identifier-values.ts';

/** Rows put into the table in a step, some tenths of a millisecond: each row costs one or two cache misses. */
const ROWS_A_STEP = 1 << 10;
/** Numbers compared in a step, some tenths of a millisecond. */
const COMPARED_A_STEP = 1 << 14;
/** Rows of the first table of added rows. */
const ADDED_ROWS = 1 << 12;

/** The rows [firstRow, firstRow + capacity) of a column, added in this order. */
class RowTable<I extends Identifier> {
  readonly slots: HashSlots;
  readonly firstRow: number;
  readonly #column: IdentifierPiece<I>;
  /**
   * By row − firstRow: 1 + the next row with the same identifier, where the last one, which is in the table, is followed by
   * the first one; 0 where a row is the only one. Made for the first repeated identifier.
   */
  #next: Int32Array | undefined;

  constructor(column: IdentifierPiece<I>, firstRow: number, capacity: number) {
    this.#column = column;
    this.firstRow = firstRow;
    this.slots = new HashSlots(capacity);
  }

  /** Add the next row. */
  add(row: number): void {
    const { slots, firstRow } = this;
    const hash = this.#column.hashAt(row);
    const own = row - firstRow;
    let slot = slots.first(hash);
    // Most slots are free, and then no identifier is made to compare it.
    if (slots.rowAt(slot) >= 0) slot = this.#slotOf(this.#column.at(row), hash);
    const last = slots.rowAt(slot);
    if (last >= 0) this.#follow(last, own);
    slots.put(slot, own, hash);
  }

  /** The slot that holds an identifier, or the free one where it would go. */
  #slotOf(identifier: I, hash: number): number {
    const { slots, firstRow } = this;
    let slot = slots.first(hash);
    for (;;) {
      const last = slots.rowAt(slot);
      if (last < 0 || this.#column.isAt(firstRow + last, identifier)) return slot;
      slot = slots.next(slot, hash);
    }
  }

  /** Put a row behind the last one of its ring. */
  #follow(last: number, row: number): void {
    this.#next ??= new Int32Array(this.slots.capacity);
    this.#next[row] = this.#after(last) + 1;
    this.#next[last] = row + 1;
  }

  #after(row: number): number {
    const next = this.#next?.[row] ?? 0;
    return next === 0 ? row : next - 1;
  }

  /** Call `visit` with every row of an identifier, ascending. */
  forEachRow(identifier: I, hash: number, visit: (row: number) => void): void {
    const last = this.slots.rowAt(this.#slotOf(identifier, hash));
    if (last < 0) return;
    let row = last;
    do {
      row = this.#after(row);
      visit(this.firstRow + row);
    } while (row !== last);
  }
}

/** Rows of a column by identifier. */
export class RowsByHash<I extends Identifier> implements RowsByIdentifier<I> {
  readonly #column: IdentifierPiece<I>;
  /** Rows that ascend and are in no table. */
  readonly #sortedRows: number;
  readonly #tables: RowTable<I>[] = [];
  /** Rows that are found. */
  #rows: number;
  /** Rows of the next table of added rows. */
  #nextCapacity = ADDED_ROWS;

  private constructor(column: IdentifierPiece<I>, sortedRows: number) {
    this.#column = column;
    this.#sortedRows = sortedRows;
    this.#rows = sortedRows;
  }

  /**
   * The rows of a column, in short steps; rows that are added to it between the steps are found as well.
   *
   * @param knownRows so many rows at the beginning are known to ascend
   */
  static *steps<I extends Identifier>(column: IdentifierPiece<I>, knownRows = 0): Generator<void, RowsByHash<I>> {
    const rows = column.length;
    const isSorted = knownRows < rows && (yield* isAscending(column, rows));
    const found = new RowsByHash(column, isSorted ? rows : knownRows);
    if (found.#rows < rows) {
      const table = new RowTable(column, found.#rows, rows - found.#rows);
      found.#tables.push(table);
      yield* touchPages(table.slots.zeros);
      while (found.#rows < rows) {
        const end = Math.min(rows, found.#rows + ROWS_A_STEP);
        for (; found.#rows < end; found.#rows++) table.add(found.#rows);
        yield;
      }
    }
    while (found.#rows < column.length) found.add();
    return found;
  }

  /** Find the next row of the column, too. */
  add(): void {
    const row = this.#rows++;
    let table = this.#tables.at(-1);
    if (!table || row === table.firstRow + table.slots.capacity) {
      table = new RowTable(this.#column, row, this.#nextCapacity);
      this.#tables.push(table);
      this.#nextCapacity *= 2;
    }
    table.add(row);
  }

  /** Call `visit` with every row of an identifier, ascending. */
  forEachRow(identifier: I, visit: (row: number) => void): void {
    this.#forEachSorted(identifier, visit);
    if (this.#tables.length === 0) return;
    const hash = hashIdentifier(identifier);
    for (const table of this.#tables) table.forEachRow(identifier, hash, visit);
  }

  #forEachSorted(identifier: I, visit: (row: number) => void): void {
    let begin = 0;
    let end = this.#sortedRows;
    while (begin < end) {
      const middle = Math.floor((begin + end) / 2);
      if (this.#column.at(middle) < identifier) begin = middle + 1;
      else end = middle;
    }
    for (let row = begin; row < this.#sortedRows && this.#column.isAt(row, identifier); row++) visit(row);
  }
}

/** Whether the first rows are numbers or bigints that never descend, in steps up to the first that does. */
function* isAscending(column: IdentifierPiece<Identifier>, rows: number): Generator<void, boolean> {
  if (rows === 0 || typeof column.at(0) === 'string') return false;
  let before = column.at(0);
  for (let row = 1; row < rows; row++) {
    const identifier = column.at(row);
    if (identifier < before) return false;
    before = identifier;
    if (row % COMPARED_A_STEP === 0) yield;
  }
  return true;
}
