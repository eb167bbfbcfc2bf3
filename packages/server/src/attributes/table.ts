/**
 * Attributes of candidates: one column per attribute, with one entry per row of the index, in the order of the rows.
 *
 * Filters read columns; responses show the values of rows. The kind of a column is given by the bundle, or else by the
 * attribute's first value.
 */
import { DataError } from 'shortlist';
import { readEach } from '../status/read-each.ts';
import { invalidArgument } from '../status/serving-error.ts';
import { shown } from '../status/shown.ts';
import { AttributeColumn } from './column.ts';
import { reservation } from './reserved-names.ts';
import {
  A_KIND,
  type AttributeKind,
  type AttributeValue,
  type AttributeValues,
  attributePlace,
  fitsKind,
  isAttributeValue,
  isUnicodeText,
  kindOf,
  misfit,
  wellFormed,
} from './values.ts';

/** The reserved kind of a column that does not exist yet, and the number of checked updates that will write it. */
interface Claim {
  kind: AttributeKind;
  holders: number;
}

/** All attributes of all candidates. */
export class AttributeTable {
  readonly columns: Map<string, AttributeColumn> = new Map();
  /** Sentences about what was changed in the columns of a bundle, or is not shown of them, for the log. */
  readonly remarks: string[] = [];
  /** Declared attributes that have no value yet, so that their kind is unknown. */
  readonly #empty = new Set<string>();
  readonly #claims = new Map<string, Claim>();

  /** Names of all attributes, including those without any value. */
  get names(): string[] {
    return [...this.columns.keys(), ...this.#empty];
  }

  /** Whether an attribute of this name exists. */
  has(name: string): boolean {
    return this.columns.has(name) || this.#empty.has(name);
  }

  /**
   * The values that a row has, by attribute name.
   *
   * @param names the attributes that are wanted; default all
   */
  valuesOf(row: number, names: Iterable<string> = this.columns.keys()): Record<string, NonNullable<AttributeValue>> {
    const values: [string, NonNullable<AttributeValue>][] = [];
    for (const name of names) {
      const value = this.columns.get(name)?.get(row) ?? null;
      if (value !== null) values.push([name, value]);
    }
    // An attribute may be called __proto__, and a plain assignment to that name would not create a property.
    return Object.fromEntries(values);
  }

  /**
   * Check values of candidates against the kinds of their columns, including the new columns of values that were
   * checked before and are not set yet. The kinds of the new columns of these values are reserved for later checks
   * until the returned function is called; call it when the values were set, or when they will not be.
   *
   * @throws {ServingError} INVALID_ARGUMENT when a value is of another kind, a number is not finite, or a new attribute
   * has a reserved name; then no kind is reserved
   */
  check(candidates: readonly AttributeValues[]): () => void {
    const fresh = new Map<string, AttributeKind>();
    const check = (values: AttributeValues): void => {
      for (const [name, value] of Object.entries(values)) {
        if (!isUnicodeText(name)) {
          throw invalidArgument(`${attributePlace(name)}: expected a name of Unicode text, got a lone surrogate`);
        }
        const reserved = this.has(name) ? undefined : reservation(name);
        if (reserved !== undefined)
          throw invalidArgument(`${attributePlace(name)}: expected another name, ${reserved}`);
        if (value === null) continue;
        if (!isAttributeValue(value)) {
          throw invalidArgument(
            `${attributePlace(name)}: expected text, a finite number, a boolean, or a list of text and numbers, got ${shown(value)}`,
          );
        }
        if (!isUnicodeText(value))
          throw invalidArgument(`${attributePlace(name)}: expected Unicode text, got a lone surrogate`);
        const known = this.columns.get(name)?.kind;
        const kind = known ?? fresh.get(name) ?? this.#claims.get(name)?.kind ?? kindOf(value);
        if (!fitsKind(value, kind)) throw invalidArgument(misfit(name, kind, value));
        if (known === undefined) fresh.set(name, kind);
      }
    };
    readEach('candidates', candidates, check);
    return this.#claim(fresh);
  }

  #claim(kinds: ReadonlyMap<string, AttributeKind>): () => void {
    // Reservations are counted: if two updates will write a column and the first fails, its kind stays reserved for the
    // second.
    for (const [name, kind] of kinds) {
      const claim = this.#claims.get(name) ?? { kind, holders: 0 };
      claim.holders++;
      this.#claims.set(name, claim);
    }
    return () => {
      for (const name of kinds.keys()) if (--this.#claims.get(name)!.holders === 0) this.#claims.delete(name);
    };
  }

  /** The values that fit the kinds of their columns, and the error message for the first that does not. */
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

  /**
   * Merge values, which were checked, into a row: null removes a value; an attribute that is not named keeps its value.
   */
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

  /** Remove all values of a row, as when its candidate was deleted. */
  clear(row: number): void {
    for (const column of this.columns.values()) column.set(row, null);
  }

  #addColumn(name: string, column: AttributeColumn): void {
    this.columns.set(name, column);
    this.#empty.delete(name);
  }

  /**
   * Add a column with one value per row. If neither `kind` nor any value gives its kind, only its name is recorded.
   * Text with lone surrogates, which updates refuse and Protobuf cannot hold, is made well-formed.
   *
   * @param kind kind of the column; default: the kind of its first value
   * @throws {DataError} when the values are not all of one kind
   */
  addColumn(name: string, values: readonly AttributeValue[], kind?: AttributeKind): void {
    if (!isUnicodeText(name))
      throw new DataError(`${attributePlace(name)}: expected a name of Unicode text, got a lone surrogate`);
    const reserved = reservation(name);
    if (reserved !== undefined) this.remarks.push(`the attribute '${name}' is not shown everywhere: ${reserved}`);
    const first = values.find((value) => value !== null) ?? null;
    const held = kind ?? (first === null || !isAttributeValue(first) ? undefined : kindOf(first));
    if (held === undefined) {
      if (first !== null) {
        throw new DataError(
          `${attributePlace(name)}: expected text, numbers, booleans or lists of these, got ${shown(first)}`,
        );
      }
      if (!this.columns.has(name)) this.#empty.add(name);
      return;
    }
    const column = new AttributeColumn(held, values.length);
    let replaced = 0;
    values.forEach((value, row) => {
      if (value !== null && (!isAttributeValue(value) || !fitsKind(value, held))) {
        throw new DataError(
          `${attributePlace(name)}: expected ${A_KIND[held]} like the values before, got ${shown(value)} in row ${row}`,
        );
      }
      const text = wellFormed(value);
      if (text !== value) replaced++;
      column.set(row, text);
    });
    if (replaced > 0) {
      this.remarks.push(`the attribute '${name}' has lone surrogates in ${replaced} of its values; each became U+FFFD`);
    }
    this.#addColumn(name, column);
  }

  /** A new table with some rows of this one, in the given order. */
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

  /** Move the values of a row to another row. An index does this when it fills a gap with its last row. */
  move(from: number, to: number): void {
    for (const column of this.columns.values()) column.set(to, column.get(from));
  }
}
