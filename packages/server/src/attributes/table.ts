/**
 * Attributes of candidates: one column a name, one entry a row of the index, in the order of the rows.
 *
 * A filter reads columns; an answer shows the values of its rows. The bundle says what a column holds, or else the first
 * value of the attribute does.
 */
import { DataError } from 'shortlist';
import { invalidArgument } from '../status/serving-error.ts';
import { AttributeColumn } from './column.ts';
import {
  type AttributeKind,
  type AttributeValue,
  type AttributeValues,
  fitsKind,
  isAttributeValue,
  kindOf,
  misfit,
} from './values.ts';

/** The kind of a column that is not there yet, and how many that were checked will write it. */
interface Claim {
  kind: AttributeKind;
  holders: number;
}

/** All attributes of all candidates. */
export class AttributeTable {
  readonly columns: Map<string, AttributeColumn> = new Map();
  /** Attributes that were declared and have no value yet, which would tell their kind. */
  readonly #empty = new Set<string>();
  readonly #claims = new Map<string, Claim>();

  /** Names of all attributes, of those without any value, too. */
  get names(): string[] {
    return [...this.columns.keys(), ...this.#empty];
  }

  /** Whether there is an attribute of this name. */
  has(name: string): boolean {
    return this.columns.has(name) || this.#empty.has(name);
  }

  /**
   * Values of a row, without those it does not have.
   *
   * @param names the attributes that are wanted; default all
   */
  valuesOf(row: number, names: Iterable<string> = this.columns.keys()): Record<string, NonNullable<AttributeValue>> {
    const values: [string, NonNullable<AttributeValue>][] = [];
    for (const name of names) {
      const value = this.columns.get(name)?.get(row) ?? null;
      if (value !== null) values.push([name, value]);
    }
    // An attribute may be called __proto__, which an assignment would not make a property.
    return Object.fromEntries(values);
  }

  /**
   * Check values of candidates against the kinds of their columns, and of those that will be there when everything is
   * set that was checked before. Until the function that is returned is called, once the values are set or never will
   * be, the kinds of their new columns are held against what is checked next.
   *
   * @throws {ServingError} INVALID_ARGUMENT when a value is of another kind, or a number is not finite; nothing is held
   */
  check(candidates: readonly AttributeValues[]): () => void {
    const fresh = new Map<string, AttributeKind>();
    for (const values of candidates) {
      for (const [name, value] of Object.entries(values)) {
        if (value === null) continue;
        if (!isAttributeValue(value)) {
          throw invalidArgument(
            `attribute '${name}': expected text, a finite number, a boolean, or a list of text and numbers`,
          );
        }
        const known = this.columns.get(name)?.kind;
        const kind = known ?? fresh.get(name) ?? this.#claims.get(name)?.kind ?? kindOf(value);
        if (!fitsKind(value, kind)) throw invalidArgument(misfit(name, kind, value));
        if (known === undefined) fresh.set(name, kind);
      }
    }
    return this.#claim(fresh);
  }

  #claim(kinds: ReadonlyMap<string, AttributeKind>): () => void {
    // Counted: of two that will write a column the first may fail, and its kind holds for the second.
    for (const [name, kind] of kinds) {
      const claim = this.#claims.get(name) ?? { kind, holders: 0 };
      claim.holders++;
      this.#claims.set(name, claim);
    }
    return () => {
      for (const name of kinds.keys()) if (--this.#claims.get(name)!.holders === 0) this.#claims.delete(name);
    };
  }

  /** Values without those of another kind than their columns, and what is wrong with the first of these. */
  fitting(values: AttributeValues): { values: AttributeValues; problem: string | undefined } {
    let problem: string | undefined;
    const fits = Object.entries(values).filter(([name, value]) => {
      const kind = this.columns.get(name)?.kind;
      if (value === null || kind === undefined || fitsKind(value, kind)) return true;
      problem ??= misfit(name, kind, value);
      return false;
    });
    return { values: problem === undefined ? values : Object.fromEntries(fits), problem };
  }

  /** Merge values into a row: null takes a value away, an attribute that is not named keeps its own. Values were checked. */
  set(row: number, values: AttributeValues): void {
    for (const [name, value] of Object.entries(values)) {
      let column = this.columns.get(name);
      if (!column) {
        if (value === null) continue;
        column = new AttributeColumn(kindOf(value), row + 1);
        this.#addColumn(name, column);
      }
      column.set(row, value);
    }
  }

  /** Take all values of a row away, as of a candidate that was deleted. */
  clear(row: number): void {
    for (const column of this.columns.values()) column.set(row, null);
  }

  #addColumn(name: string, column: AttributeColumn): void {
    this.columns.set(name, column);
    this.#empty.delete(name);
  }

  /**
   * Add a column of one value a row. Where nothing says its kind, neither a value nor `kind`, only its name is known.
   *
   * @param kind what it holds; default what its first value is
   * @throws {DataError} when the values are not all of the kind
   */
  addColumn(name: string, values: readonly AttributeValue[], kind?: AttributeKind): void {
    const first = values.find((value) => value !== null) ?? null;
    const held = kind ?? (first === null || !isAttributeValue(first) ? undefined : kindOf(first));
    if (held === undefined) {
      if (first !== null) throw new DataError(`attributes.${name}: expected text, numbers, booleans or lists of these`);
      if (!this.columns.has(name)) this.#empty.add(name);
      return;
    }
    const column = new AttributeColumn(held, values.length);
    values.forEach((value, row) => {
      if (value !== null && (!isAttributeValue(value) || !fitsKind(value, held))) {
        const got = held === 'date' ? JSON.stringify(value) : Array.isArray(value) ? 'list' : typeof value;
        throw new DataError(`attributes.${name}: expected a ${held} as before, got ${got} in row ${row}`);
      }
      column.set(row, value);
    });
    this.#addColumn(name, column);
  }

  /** A table of some rows of this one, in their order. */
  select(rows: readonly number[]): AttributeTable {
    const table = new AttributeTable();
    for (const [name, column] of this.columns)
      table.addColumn(
        name,
        rows.map((row) => column.get(row)),
        column.kind === 'date' ? 'date' : undefined,
      );
    for (const name of this.#empty) table.#empty.add(name);
    return table;
  }

  /** Move a row's values to another row, as an index does that fills a gap with its last row. */
  move(from: number, to: number): void {
    for (const column of this.columns.values()) column.set(to, column.get(from));
  }
}
