/**
 * The identifiers of an index: one for each candidate row, kept as given. Several rows may have the same identifier.
 *
 * Where the caller gives no identifiers, the number of a row is its identifier and nothing is stored. The table from
 * identifiers to rows is built at its first use, or earlier in steps: a hash table for a loaded column
 * (rows-by-hash.ts), a map with chains for other values. Rows added later are in a second map, so adding a row copies
 * nothing.
 */

import { checkArgument } from '../checks/arguments.ts';
import { shown } from '../checks/numbers.ts';
import { FUNCTION, LIST } from '../checks/options.ts';
import { IdentifierError, ShapeError } from '../errors/errors.ts';
import type { TextColumn } from '../format/text-column.ts';
import { finish } from '../parallel/steps.ts';
import { RowsOfLists } from './long-lists.ts';
import { RowsByHash, wordColumn } from './rows-by-hash.ts';

/** The caller's name of a candidate, kept and returned as given. All identifiers of an index have one type. */
export type Identifier = string | number | bigint;

/** End of a chain of rows. */
const NONE = -1;

/** Rows put into a map in a step: some tenths of a millisecond. */
const ROWS_A_STEP = 1 << 10;

const ALLOWED: readonly string[] = ['string', 'number', 'bigint'];

/** Identifiers by row: an array, or a column that decodes a value when it is read. */
export interface IdentifierValues<I extends Identifier> {
  readonly length: number;
  at(row: number): I | undefined;
}

/** A column and the values added to it, as one column. */
export class WithAdded<I extends Identifier> implements IdentifierValues<I> {
  readonly base: IdentifierValues<I>;
  readonly added: readonly I[];

  constructor(base: IdentifierValues<I>, added: readonly I[]) {
    this.base = base;
    this.added = added;
  }

  get length(): number {
    return this.base.length + this.added.length;
  }

  at(row: number): I | undefined {
    return row < this.base.length ? this.base.at(row) : this.added[row - this.base.length];
  }
}

/** The rows of each identifier. */
interface RowsOf<I> {
  forEachRow(identifier: I, visit: (row: number) => void): void;
}

/** The rows of each identifier of a list: the last one in a map, the ones before it in chains. */
class RowsByIdentifier<I extends Identifier> implements RowsOf<I> {
  readonly #first = new Map<I, number>();
  readonly #next: Int32Array;

  private constructor(rows: number) {
    this.#next = new Int32Array(rows);
  }

  /** The rows of some values, in short steps. */
  static *steps<I extends Identifier>(values: IdentifierValues<I>): Generator<void, RowsByIdentifier<I>> {
    const table = new RowsByIdentifier<I>(values.length);
    for (let row = values.length - 1; row >= 0; row--) {
      const identifier = values.at(row)!;
      table.#next[row] = table.#first.get(identifier) ?? NONE;
      table.#first.set(identifier, row);
      if (row % ROWS_A_STEP === 0) yield;
    }
    return table;
  }

  forEachRow(identifier: I, visit: (row: number) => void): void {
    for (let row = this.#first.get(identifier) ?? NONE; row !== NONE; row = this.#next[row]!) visit(row);
  }
}

/** Identifiers by row and rows by identifier. */
export class Identifiers<I extends Identifier> {
  /** Number of the first row: greater than 0 where these identifiers are a part of a longer sequence. */
  readonly firstRow: number;
  #size: number;
  #values: IdentifierValues<I> | undefined;
  #base: IdentifierValues<I> | undefined;
  #rows: RowsOf<I> | undefined;
  /** Identifiers added after the first ones, and the rows of each, ascending. */
  #added: I[] | undefined;
  readonly #addedRows = new Map<I, number[]>();
  readonly #lists = new RowsOfLists<I>();

  /** @param values checked by `checkIdentifiers` and not changed by anyone; undefined: row numbers */
  constructor(size: number, values?: IdentifierValues<I>, firstRow = 0) {
    this.#size = size;
    this.firstRow = firstRow;
    this.#values = values;
    this.#base = values;
  }

  /** Rows. */
  get size(): number {
    return this.#size;
  }

  /**
   * Add an identifier, whose type was checked, for one more row. Row numbers are still not stored when the added
   * identifier is the next row number.
   */
  add(identifier: I): void {
    if (!this.#values && identifier === this.firstRow + this.#size) {
      this.#size++;
      return;
    }
    this.#keepAdded().push(identifier);
    const rows = this.#addedRows.get(identifier);
    if (rows) rows.push(this.#size);
    else this.#addedRows.set(identifier, [this.#size]);
    this.#size++;
  }

  /** The list of added identifiers; the first call creates it and stores the row numbers before it. */
  #keepAdded(): I[] {
    if (!this.#added) {
      const { of } = this;
      const base = this.#base ?? Array.from({ length: this.#size }, (_, row) => of(row));
      this.#base = base;
      this.#added = [];
      this.#values = new WithAdded(base, this.#added);
    }
    return this.#added;
  }

  /**
   * The type of all identifiers: string, number or bigint; undefined while there are no identifiers, when any type may
   * be added.
   */
  get type(): string | undefined {
    if (!this.#values) return 'number';
    return this.#size > 0 ? typeof this.#values.at(0) : undefined;
  }

  /** `type`; for an index without candidates, the type of its empty column if that is known. `save` needs it. */
  get columnType(): 'string' | 'number' | 'bigint' | undefined {
    const values = this.#values;
    if (!values) return 'number';
    if (this.#size > 0) return typeof values.at(0) as 'string' | 'number' | 'bigint';
    const base = values instanceof WithAdded ? values.base : values;
    if (isTextColumn(base)) return 'string';
    if (base instanceof BigInt64Array) return 'bigint';
    return ArrayBuffer.isView(base) ? 'number' : undefined;
  }

  /** Store the row numbers as identifiers, so that any number may be added, not only the number of the next row. */
  keepNumbers(): void {
    if (!this.#values) this.#keepAdded();
  }

  /** The identifiers as given; undefined where they are row numbers. */
  get values(): IdentifierValues<I> | undefined {
    return this.#values;
  }

  /** The identifier of a row, counted from `firstRow`. */
  readonly of = (row: number): I => (this.#values ? this.#values.at(row)! : ((this.firstRow + row) as I));

  /** Build the table from identifiers to rows in short steps; rows may be added between the steps. */
  *preparation(): Generator<void, void> {
    if (!this.#base || this.#rows) return;
    const base = this.#base;
    const rows = yield* rowsOf(base);
    if (this.#base === base) this.#rows ??= rows;
  }

  /**
   * Call `visit` with each row of an identifier, ascending, counted from `firstRow`; an unknown identifier has none.
   *
   * @throws {IdentifierError} when the identifier is not of the index's type
   */
  forEachRow(identifier: I, visit: (row: number) => void): void {
    checkArgument('visit', visit, FUNCTION);
    const { type } = this;
    if (typeof identifier !== type && this.size > 0) {
      throw new IdentifierError(`identifier: expected a ${type} as the index holds, got ${shown(identifier)}`);
    }
    if (!this.#base) {
      const row = (identifier as number) - this.firstRow;
      if (Number.isInteger(row) && row >= 0 && row < this.size) visit(row);
      return;
    }
    this.#rows ??= finish(rowsOf(this.#base));
    this.#rows.forEachRow(identifier, visit);
    for (const row of this.#addedRows.get(identifier) ?? []) visit(row);
  }

  /** `forEachRow` of every identifier of a list; the rows of a long list that is frozen are remembered. */
  forEachRowOf(list: readonly I[], visit: (row: number) => void): void {
    checkArgument('list', list, LIST);
    checkArgument('visit', visit, FUNCTION);
    this.#lists.forEachRow(list, this, visit);
  }
}

function rowsOf<I extends Identifier>(values: IdentifierValues<I>): Generator<void, RowsOf<I>> {
  const table = (): Generator<void, unknown> => {
    if (isTextColumn(values)) return RowsByHash.steps(values);
    if (values instanceof Float64Array) return RowsByHash.steps(wordColumn(values));
    if (values instanceof BigInt64Array) return RowsByHash.steps(wordColumn(values));
    return RowsByIdentifier.steps(values);
  };
  return table() as Generator<void, RowsOf<I>>;
}

/**
 * Check that there is one identifier per candidate and that all have one type, string, number or bigint; returns the
 * type.
 *
 * @param type the type that earlier batches had
 * @param firstRow the row of the first identifier, for the message
 * @throws {ShapeError} when there are more or fewer identifiers than candidates
 * @throws {IdentifierError} when they have another type or several types
 */
export function checkIdentifiers(
  identifiers: readonly unknown[],
  candidates: number,
  type?: string,
  firstRow = 0,
): string {
  if (identifiers.length !== candidates) {
    throw new ShapeError(
      `candidates and identifiers: expected the same number of rows, got ${candidates} candidates and ` +
        `${identifiers.length} identifiers`,
    );
  }
  const expected = type ?? typeof identifiers[0];
  for (let i = 0; i < identifiers.length; i++) {
    const identifier = identifiers[i];
    // biome-ignore lint/suspicious/noSelfCompare: the fastest test for NaN, which equals no identifier
    if (typeof identifier !== expected || !ALLOWED.includes(expected) || identifier !== identifier) {
      const wanted = ALLOWED.includes(expected) ? `${expected}s, as before` : 'strings, numbers or bigints';
      throw new IdentifierError(`identifiers: expected ${wanted}, got ${shown(identifier)} in row ${firstRow + i}`);
    }
  }
  return expected;
}

/** True for a column of text. It asks for a method, because a bundler leaves the class out where nothing is loaded or saved. */
function isTextColumn(values: IdentifierValues<Identifier>): values is TextColumn & IdentifierValues<Identifier> {
  return 'hashAt' in values;
}
