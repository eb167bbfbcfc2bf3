/**
 * The identifiers of an index: one for each candidate row. Several rows may have the same identifier.
 *
 * Where the caller gives no identifiers, the number of a row is its identifier and nothing is stored. Other identifiers are
 * in a column (identifier-column.ts). The table from identifiers to rows is built at its first use, or earlier in steps.
 */

import { checkArgument, NUMBERS } from '../checks/arguments.ts';
import { shown } from '../checks/numbers.ts';
import { FUNCTION, LIST, optionType } from '../checks/options.ts';
import { IdentifierError, ShapeError } from '../errors/errors.ts';
import { finish } from '../parallel/steps.ts';
import { type ColumnOf, type IdentifierColumn, listColumn, type RowsByIdentifier } from './identifier-column.ts';
import { type Identifier, type IdentifierType, type IdentifierValues, RowNumberValues } from './identifier-values.ts';
import { RowsOfLists } from './long-lists.ts';

export type { Identifier, IdentifierValues } from './identifier-values.ts';

const VALUES = optionType(
  'identifiers by row',
  (values) => typeof values === 'object' && values !== null && 'at' in values && 'length' in values,
);
const ALLOWED: readonly string[] = ['string', 'number', 'bigint'];

/** Identifiers by row and rows by identifier. */
export class Identifiers<I extends Identifier> {
  /** Number of the first row: greater than 0 where these identifiers are a part of a longer sequence. */
  readonly firstRow: number;
  #size: number;
  /** Undefined where identifiers are row numbers. */
  #column: IdentifierColumn<I> | undefined;
  #rows: RowsByIdentifier<I> | undefined;
  readonly #columnOf: ColumnOf;
  readonly #lists = new RowsOfLists<I>();

  /**
   * @param values checked by `checkIdentifiers` and not changed by anyone; undefined: row numbers
   * @param columnOf makes the column of values that are none yet
   */
  constructor(size: number, values?: IdentifierValues<I>, firstRow = 0, columnOf: ColumnOf = listColumn) {
    this.#size = size;
    this.firstRow = firstRow;
    this.#columnOf = checkArgument('columnOf', columnOf, FUNCTION);
    if (values === undefined) return;
    checkArgument('values', values, VALUES);
    this.#column = isColumn(values) ? values : columnOf(values);
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
    if (this.#column || identifier !== this.firstRow + this.#size) {
      this.keepNumbers();
      this.#column!.push(identifier);
      this.#rows?.add();
    }
    this.#size++;
  }

  /**
   * The type of all identifiers: string, number or bigint; undefined while there are no identifiers, when any type may
   * be added.
   */
  get type(): string | undefined {
    if (!this.#column) return 'number';
    return this.#size > 0 ? this.#column.type : undefined;
  }

  /** `type`; for an index without candidates, the type of its empty column if that is known. `save` needs it. */
  get columnType(): IdentifierType | undefined {
    return this.#column ? this.#column.type : 'number';
  }

  /** Keep the row numbers as identifiers, so that any number may be added, not only the number of the next row. */
  keepNumbers(): void {
    if (this.#column) return;
    const numbers = new RowNumberValues(this.firstRow, this.#size) as IdentifierValues<Identifier>;
    this.#column = this.#columnOf(numbers as IdentifierValues<I>);
  }

  /** The identifiers as given; undefined where they are row numbers. */
  get values(): IdentifierValues<I> | undefined {
    return this.#column;
  }

  /** The identifiers in the form in which they are kept, in the order of their rows; undefined where they are row numbers. */
  pieces(): readonly IdentifierValues<I>[] | undefined {
    return this.#column?.pieces();
  }

  /** The identifiers of some rows, kept in the same way. */
  part(rows: Int32Array): Identifiers<I> {
    const column = (this.#column ?? this.#columnOf<I>([])).empty();
    for (const row of checkArgument('rows', rows, NUMBERS)) column.push(this.of(row));
    return new Identifiers<I>(rows.length, column, 0, this.#columnOf);
  }

  /** The identifier of a row, counted from `firstRow`. */
  readonly of = (row: number): I => (this.#column ? this.#column.at(row) : ((this.firstRow + row) as I));

  /** Build the table from identifiers to rows in short steps; rows may be added between the steps. */
  *preparation(): Generator<void, void> {
    const column = this.#column;
    if (!column || this.#rows) return;
    const rows = yield* column.rows();
    this.#rows ??= rows;
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
    if (!this.#column) {
      const row = (identifier as number) - this.firstRow;
      if (Number.isInteger(row) && row >= 0 && row < this.size) visit(row);
      return;
    }
    this.#rows ??= finish(this.#column.rows());
    this.#rows.forEachRow(identifier, visit);
  }

  /** `forEachRow` of every identifier of a list; the rows of a long list that is frozen are remembered. */
  forEachRowOf(list: readonly I[], visit: (row: number) => void): void {
    checkArgument('list', list, LIST);
    checkArgument('visit', visit, FUNCTION);
    this.#lists.forEachRow(list, this, visit);
  }
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

function isColumn<I extends Identifier>(values: IdentifierValues<I>): values is IdentifierColumn<I> {
  return 'push' in values && 'rows' in values;
}
