/**
 * A cache of compiled filters, because most requests of one page have the same filter. An entry is dropped when an
 * attribute that the filter names changes, or when the number of rows changes. A change of any other attribute keeps
 * it.
 */
import { attributesOf, compileFilter, type Filter } from './filter.ts';
import type { AttributeTable } from './table.ts';

/** Most compiled filters in the cache; each takes one bit per candidate. */
const FILTERS_MAX = 64;

/** Bit words, and the state of the table from which they were computed. */
interface Compiled {
  readonly words: Int32Array;
  readonly rows: number;
  readonly attributes: readonly string[];
  readonly generation: number;
}

/** Caches the bit words of filters over one table. */
export class FilterCache {
  readonly #table: AttributeTable;
  readonly #compiled = new Map<string, Compiled>();

  constructor(table: AttributeTable) {
    this.#table = table;
  }

  /** Bit words of a filter over `rows` rows. */
  words(filter: Filter, rows: number): Int32Array {
    const key = JSON.stringify(filter);
    const known = this.#compiled.get(key);
    const isFresh = known?.rows === rows && known.generation === this.#generationOf(known.attributes);
    const compiled = isFresh ? known : this.#compile(filter, rows);
    // A used entry moves to the end, so the first entry is the least recently used.
    this.#compiled.delete(key);
    this.#compiled.set(key, compiled);
    if (this.#compiled.size > FILTERS_MAX) this.#compiled.delete(this.#compiled.keys().next().value!);
    return compiled.words;
  }

  #compile(filter: Filter, rows: number): Compiled {
    const attributes = attributesOf(filter);
    const words = new Int32Array(compileFilter(filter, this.#table, rows).buffer);
    return { words, rows, attributes, generation: this.#generationOf(attributes) };
  }

  /**
   * Sum of the change counters of some columns. Each counter only grows, so the sum is equal only if all of them are.
   */
  #generationOf(attributes: readonly string[]): number {
    return attributes.reduce((sum, name) => sum + (this.#table.columns.get(name)?.generation ?? 0), 0);
  }

  clear(): void {
    this.#compiled.clear();
  }
}
