/**
 * A growing column of the identifiers of an index, and the rows of each. `ListColumn` keeps JavaScript values in an array and a
 * map. It is the column of an index that is built from arrays; programs that load or stream an index bring the packed one
 * (packed-column.ts), which takes a fifth of the memory.
 */
import type { Identifier, IdentifierType, IdentifierValues } from './identifier-values.ts';

export type { IdentifierType } from './identifier-values.ts';

/** The rows of each identifier of a column. */
export interface RowsByIdentifier<I extends Identifier> {
  /** Find the next row of the column, too. */
  add(): void;
  /** Call `visit` with every row of an identifier, ascending. */
  forEachRow(identifier: I, visit: (row: number) => void): void;
}

/** A growing column of identifiers of one type. */
export interface IdentifierColumn<I extends Identifier> extends IdentifierValues<I> {
  /** The type of the identifiers; undefined where there was none yet and the type of the empty column is not known. */
  readonly type: IdentifierType | undefined;
  at(row: number): I;
  /** Add an identifier of the same type. */
  push(identifier: I): void;
  /** The identifiers as they are kept, in the order of their rows. */
  pieces(): readonly IdentifierValues<I>[];
  /** The rows by identifier, in short steps; rows that are added between the steps are found as well. */
  rows(): Generator<void, RowsByIdentifier<I>>;
  /** A column of the same kind without rows. */
  empty(): IdentifierColumn<I>;
}

/** Makes a column of some identifiers. */
export type ColumnOf = <I extends Identifier>(values: IdentifierValues<I>) => IdentifierColumn<I>;

/** Rows put into a map in a step: some tenths of a millisecond. */
const ROWS_A_STEP = 1 << 10;

class ListColumn<I extends Identifier> implements IdentifierColumn<I> {
  readonly #values: I[];

  constructor(values: I[]) {
    this.#values = values;
  }

  get type(): IdentifierType | undefined {
    return this.length > 0 ? (typeof this.#values[0] as IdentifierType) : undefined;
  }

  get length(): number {
    return this.#values.length;
  }

  at(row: number): I {
    return this.#values[row]!;
  }

  push(identifier: I): void {
    this.#values.push(identifier);
  }

  pieces(): readonly IdentifierValues<I>[] {
    return [this.#values];
  }

  *rows(): Generator<void, RowsByIdentifier<I>> {
    const found = new MapOfRows(this.#values);
    while (found.add()) if (found.rows % ROWS_A_STEP === 0) yield;
    return found;
  }

  empty(): IdentifierColumn<I> {
    return new ListColumn<I>([]);
  }
}

class MapOfRows<I extends Identifier> implements RowsByIdentifier<I> {
  rows = 0;
  readonly #values: readonly I[];
  readonly #last = new Map<I, number>();
  /** The next row with the same identifier; the last one is followed by the first one. */
  readonly #next: number[] = [];

  constructor(values: readonly I[]) {
    this.#values = values;
  }

  /** Find the next row; false where there is none. */
  add(): boolean {
    const row = this.rows;
    if (row === this.#values.length) return false;
    const identifier = this.#values[row]!;
    const last = this.#last.get(identifier) ?? row;
    this.#next[row] = this.#next[last] ?? row;
    this.#next[last] = row;
    this.#last.set(identifier, row);
    this.rows++;
    return true;
  }

  forEachRow(identifier: I, visit: (row: number) => void): void {
    const last = this.#last.get(identifier);
    if (last === undefined) return;
    let row = last;
    do {
      row = this.#next[row]!;
      visit(row);
    } while (row !== last);
  }
}

/** A column that keeps JavaScript values; an array is copied. */
export function listColumn<I extends Identifier>(values: IdentifierValues<I>): IdentifierColumn<I> {
  return new ListColumn(Array.from({ length: values.length }, (_, row) => values.at(row)!));
}
