/**
 * Attributes of candidates: one column a name, one entry a row of the index, in the order of the rows.
 *
 * Text columns are dictionary coded (an int32 code a row, −1 for none), numbers are float64 (NaN for none), booleans are
 * one byte (2 for none). A filter reads columns; an answer shows the values of its rows. The first value of an attribute
 * decides what its column holds.
 */
import { DataError } from 'shortlist';
import { invalidArgument } from '../status/serving-error.ts';

/** A value of an attribute; null where a candidate has none. */
export type AttributeValue = string | number | boolean | null;

/** Values of one candidate by attribute name. */
export type AttributeValues = { readonly [name: string]: AttributeValue };

/** What a column holds. */
export type AttributeKind = 'text' | 'number' | 'boolean';

const NO_BOOLEAN = 2;

/** One attribute of all candidates. */
export class AttributeColumn {
  readonly kind: AttributeKind;
  /** Grows with every change of a value: what was computed from the column is out of date when this moved. */
  generation = 0;
  /** text: codes; number: values; boolean: 0, 1, 2 for none. At least as long as the table has rows. */
  entries: Int32Array | Float64Array | Uint8Array;
  readonly #words: string[] = [];
  readonly #codes = new Map<string, number>();

  constructor(kind: AttributeKind, capacity: number) {
    this.kind = kind;
    this.entries = emptyEntries(kind, capacity);
  }

  /** The code of a word, or undefined when no candidate has ever had it. */
  codeOf(word: string): number | undefined {
    return this.#codes.get(word);
  }

  get(row: number): AttributeValue {
    const entry = this.entries[row];
    if (entry === undefined) return null;
    if (this.kind === 'number') return Number.isNaN(entry) ? null : entry;
    if (this.kind === 'boolean') return entry === NO_BOOLEAN ? null : entry === 1;
    return entry < 0 ? null : this.#words[entry]!;
  }

  set(row: number, value: AttributeValue): void {
    if (this.get(row) === value) return;
    this.generation++;
    if (row >= this.entries.length) this.#grow(row + 1);
    if (value === null) this.entries[row] = noEntry(this.kind);
    else if (typeof value === 'string') this.entries[row] = this.#encode(value);
    else this.entries[row] = Number(value);
  }

  #encode(word: string): number {
    let code = this.#codes.get(word);
    if (code === undefined) {
      code = this.#words.length;
      this.#words.push(word);
      this.#codes.set(word, code);
    }
    return code;
  }

  #grow(rows: number): void {
    // Doubling keeps a stream of upserts linear.
    const entries = emptyEntries(this.kind, Math.max(rows, 2 * this.entries.length));
    entries.set(this.entries);
    this.entries = entries;
  }
}

function noEntry(kind: AttributeKind): number {
  return kind === 'number' ? Number.NaN : kind === 'text' ? -1 : NO_BOOLEAN;
}

function emptyEntries(kind: AttributeKind, capacity: number): Int32Array | Float64Array | Uint8Array {
  if (kind === 'number') return new Float64Array(capacity).fill(Number.NaN);
  return kind === 'text' ? new Int32Array(capacity).fill(-1) : new Uint8Array(capacity).fill(NO_BOOLEAN);
}

const kindOf = (value: string | number | boolean): AttributeKind =>
  typeof value === 'string' ? 'text' : (typeof value as 'number' | 'boolean');

/** The kind of a column that is not there yet, and how many that were checked will write it. */
interface Claim {
  kind: AttributeKind;
  holders: number;
}

const misfit = (name: string, kind: AttributeKind, value: AttributeValue): string =>
  `attribute '${name}': expected a ${kind}, got ${typeof value}`;

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

  /** Values of a row, without those it does not have. */
  valuesOf(row: number): Record<string, string | number | boolean> {
    const values: [string, string | number | boolean][] = [];
    for (const [name, column] of this.columns) {
      const value = column.get(row);
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
        if (
          !['string', 'number', 'boolean'].includes(typeof value) ||
          (typeof value === 'number' && !Number.isFinite(value))
        ) {
          throw invalidArgument(`attribute '${name}': expected text, a finite number or a boolean`);
        }
        const known = this.columns.get(name)?.kind;
        const kind = known ?? fresh.get(name) ?? this.#claims.get(name)?.kind ?? kindOf(value);
        if (kind !== kindOf(value)) throw invalidArgument(misfit(name, kind, value));
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
      if (value === null || kind === undefined || kind === kindOf(value)) return true;
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
   * Add a column of one value a row. Where no row has a value only its name is known: nothing says its kind.
   *
   * @throws {DataError} when the values are not all of one kind
   */
  addColumn(name: string, values: readonly AttributeValue[]): void {
    const first = values.find((value) => value !== null);
    if (first === undefined || first === null) {
      if (!this.columns.has(name)) this.#empty.add(name);
      return;
    }
    const kind = kindOf(first);
    const column = new AttributeColumn(kind, values.length);
    values.forEach((value, row) => {
      if (value !== null && kindOf(value) !== kind) {
        throw new DataError(`attributes.${name}: expected a ${kind} as before, got ${typeof value} in row ${row}`);
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
      );
    for (const name of this.#empty) table.#empty.add(name);
    return table;
  }

  /** Move a row's values to another row, as an index does that fills a gap with its last row. */
  move(from: number, to: number): void {
    for (const column of this.columns.values()) column.set(to, column.get(from));
  }
}
