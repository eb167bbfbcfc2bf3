/** Filters compiled before, because most requests of a page share theirs. Forgotten when an attribute changes. */
import { compileFilter, type Filter } from './filter.ts';
import type { AttributeTable } from './table.ts';

/** Compiled filters kept; each is one bit a candidate. */
const FILTERS_MAX = 64;

/** Bit words of filters over one table. */
export class FilterCache {
  readonly #table: AttributeTable;
  readonly #words = new Map<string, Int32Array>();
  #generation = -1;
  #rows = -1;

  constructor(table: AttributeTable) {
    this.#table = table;
  }

  /** Bit words of a filter over `rows` rows. */
  words(filter: Filter, rows: number): Int32Array {
    if (this.#generation !== this.#table.generation || this.#rows !== rows) {
      this.clear();
      this.#generation = this.#table.generation;
      this.#rows = rows;
    }
    const key = JSON.stringify(filter);
    let words = this.#words.get(key);
    if (words) this.#words.delete(key);
    else words = new Int32Array(compileFilter(filter, this.#table, rows).buffer);
    // The newest is last, so the first is the one nobody asked for the longest.
    this.#words.set(key, words);
    if (this.#words.size > FILTERS_MAX) this.#words.delete(this.#words.keys().next().value!);
    return words;
  }

  clear(): void {
    this.#words.clear();
  }
}
