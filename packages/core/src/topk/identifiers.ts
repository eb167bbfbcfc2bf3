/**
 * The identifiers of an index: one a candidate row, kept as given, any number of rows with the same one.
 *
 * Without identifiers a row's number is its identifier and nothing is stored. The way back, from an identifier to its
 * rows, is a hash map with chains, built at the first exclusion.
 */
import { shown } from '../checks/numbers.ts';
import { IdentifierError, ShapeError } from '../errors/errors.ts';
import type { Identifier } from './contract.ts';

/** End of a chain of rows. */
const NONE = -1;

const ALLOWED: readonly string[] = ['string', 'number', 'bigint'];

/** Identifiers by row: an array, or a column that decodes what it is asked for. */
export interface IdentifierValues<I extends Identifier> {
  readonly length: number;
  at(row: number): I | undefined;
}

/** Identifiers by row and rows by identifier. */
export class Identifiers<I extends Identifier> {
  #size: number;
  /** Number of the first row: not 0 where these are a part of a longer sequence. */
  readonly firstRow: number;
  #values: IdentifierValues<I> | undefined;
  #added: I[] | undefined;
  #first: Map<I, number> | undefined;
  #next: Int32Array | undefined;

  /** @param values checked by `checkIdentifiers` and not changed by anyone; undefined: row numbers */
  constructor(size: number, values?: IdentifierValues<I>, firstRow = 0) {
    this.#size = size;
    this.firstRow = firstRow;
    this.#values = values;
  }

  /** Rows. */
  get size(): number {
    return this.#size;
  }

  /**
   * Add an identifier for one more row; its type was checked. Row numbers stay row numbers while the next one is added.
   */
  add(identifier: I): void {
    if (!this.#values && identifier === this.firstRow + this.#size) {
      this.#size++;
      return;
    }
    if (!this.#added) {
      const { of } = this;
      this.#added = Array.from({ length: this.#size }, (_, row) => of(row));
      this.#values = this.#added;
    }
    this.#added.push(identifier);
    if (this.#first && this.#next) {
      if (this.#next.length <= this.#size) this.#next = grown(this.#next);
      this.#next[this.#size] = this.#first.get(identifier) ?? NONE;
      this.#first.set(identifier, this.#size);
    }
    this.#size++;
  }

  /** The identifiers as given; undefined where they are row numbers. */
  get values(): IdentifierValues<I> | undefined {
    return this.#values;
  }

  /** The identifier of a row, counted from `firstRow`. */
  readonly of = (row: number): I => (this.#values ? this.#values.at(row)! : ((this.firstRow + row) as I));

  /**
   * Every row of an identifier, ascending, counted from `firstRow`; none for an unknown one.
   *
   * @throws {IdentifierError} when the identifier is not of the index's type
   */
  forEachRow(identifier: I, visit: (row: number) => void): void {
    const type = this.#values ? typeof this.#values.at(0) : 'number';
    if (typeof identifier !== type && this.size > 0) {
      throw new IdentifierError(`identifier: expected a ${type} as the index holds, got ${shown(identifier)}`);
    }
    if (!this.#values) {
      const row = (identifier as number) - this.firstRow;
      if (Number.isInteger(row) && row >= 0 && row < this.size) visit(row);
      return;
    }
    if (!this.#first) this.#build(this.#values);
    for (let row = this.#first!.get(identifier) ?? NONE; row !== NONE; row = this.#next![row]!) visit(row);
  }

  #build(values: IdentifierValues<I>): void {
    const first = new Map<I, number>();
    const next = new Int32Array(values.length);
    for (let row = values.length - 1; row >= 0; row--) {
      const identifier = values.at(row)!;
      next[row] = first.get(identifier) ?? NONE;
      first.set(identifier, row);
    }
    this.#first = first;
    this.#next = next;
  }
}

/** Twice the room, for amortised adding. */
function grown(numbers: Int32Array): Int32Array {
  const more = new Int32Array(2 * numbers.length + 16).fill(NONE);
  more.set(numbers);
  return more;
}

/**
 * One identifier a candidate, all of one type: string, number or bigint.
 *
 * @param type the type that earlier batches had
 * @param firstRow the row of the first identifier, for the message
 * @throws {ShapeError} when their number is not that of the candidates
 * @throws {IdentifierError} when they are of another type or of several
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
