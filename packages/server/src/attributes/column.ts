/**
 * One attribute of all candidates, with one entry per row.
 *
 * Text is stored as codes of a dictionary (int32, −1 for no value), a number as float64 (NaN for none), a date as
 * milliseconds since 1970 in float64, a boolean as one byte (2 for none). Lists are codes of a dictionary of whole
 * lists: candidates have few distinct lists, and a filter is evaluated once per distinct list.
 */
import { dateText, parseDate } from './dates.ts';
import type { AttributeKind, AttributeValue, ListValue } from './values.ts';

const NO_BOOLEAN = 2;

/** A value that is not a list, with which filters compare and which rules count. */
export type SingleValue = string | number | boolean;

/** One attribute of all candidates. */
export class AttributeColumn {
  readonly kind: AttributeKind;
  /**
   * Counter of changes of values. A result that was computed from the column is out of date once the counter has
   * changed.
   */
  generation = 0;
  /**
   * text and list: codes; number and date: values; boolean: 0, 1, or 2 for none. At least as many entries as the table
   * has rows.
   */
  entries: Int32Array | Float64Array | Uint8Array;
  /** Values of the dictionary by code: words of text, or whole lists. */
  readonly #values: (string | ListValue)[] = [];
  /** Codes by word, or by the JSON of a list. */
  readonly #codes = new Map<string, number>();
  /** The types of the lists' elements so far: numbers, text, or both. */
  readonly elements: Set<'text' | 'number'> = new Set();

  constructor(kind: AttributeKind, capacity: number) {
    this.kind = kind;
    this.entries = emptyEntries(kind, capacity);
  }

  /** The code of a word, or undefined when no candidate has ever had it. */
  codeOf(word: string): number | undefined {
    return this.#codes.get(word);
  }

  /** The distinct lists that candidates have had, by code; for a column of text its distinct words. */
  get dictionary(): readonly (string | ListValue)[] {
    return this.#values;
  }

  get(row: number): AttributeValue {
    const entry = this.entries[row];
    if (entry === undefined) return null;
    switch (this.kind) {
      case 'number':
        return Number.isNaN(entry) ? null : entry;
      case 'date':
        return Number.isNaN(entry) ? null : dateText(entry);
      case 'boolean':
        return entry === NO_BOOLEAN ? null : entry === 1;
      default:
        return entry < 0 ? null : this.#values[entry]!;
    }
  }

  /** Set the value of a row. The caller has checked that it fits the kind. */
  set(row: number, value: AttributeValue): void {
    const entry = value === null ? noEntry(this.kind) : this.#entryOf(value);
    const before = row < this.entries.length ? this.entries[row]! : noEntry(this.kind);
    if (Object.is(before, entry)) return;
    this.generation++;
    if (row >= this.entries.length) this.#grow(row + 1);
    this.entries[row] = entry;
  }

  #entryOf(value: NonNullable<AttributeValue>): number {
    if (this.kind === 'date') return parseDate(value)!;
    if (typeof value === 'string') return this.#encode(value, value);
    if (typeof value !== 'object') return Number(value);
    for (const element of value) this.elements.add(typeof element === 'string' ? 'text' : 'number');
    return this.#encode(JSON.stringify(value), value);
  }

  #encode(key: string, value: string | ListValue): number {
    let code = this.#codes.get(key);
    if (code === undefined) {
      code = this.#values.length;
      this.#values.push(value);
      this.#codes.set(key, code);
    }
    return code;
  }

  #grow(rows: number): void {
    // The capacity doubles, so that the cost of a stream of upserts is linear in their number.
    const entries = emptyEntries(this.kind, Math.max(rows, 2 * this.entries.length));
    entries.set(this.entries);
    this.entries = entries;
  }
}

function noEntry(kind: AttributeKind): number {
  return kind === 'boolean' ? NO_BOOLEAN : kind === 'number' || kind === 'date' ? Number.NaN : -1;
}

function emptyEntries(kind: AttributeKind, capacity: number): Int32Array | Float64Array | Uint8Array {
  const none = noEntry(kind);
  if (kind === 'boolean') return new Uint8Array(capacity).fill(none);
  return Number.isNaN(none) ? new Float64Array(capacity).fill(none) : new Int32Array(capacity).fill(none);
}
