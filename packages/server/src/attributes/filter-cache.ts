/**
 * Filters compiled before, because most requests of a page share theirs. One is forgotten when an attribute it names
 * changes, or when there are more or fewer rows; a change of another attribute (stock beside category) leaves it.
 */
import { attributesOf, compileFilter, type Filter } from './filter.ts';
import type { AttributeTable } from './table.ts';

/** Compiled filters kept; each is one bit a candidate. */
const FILTERS_MAX = 64;

/** Bit words, and what they were computed from. */
interface Compiled {
  readonly words: Int32Array;
  readonly rows: number;
  readonly attributes: readonly string[];
  readonly generation: number;
}

/** Bit words of filters over one table. */
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
    // The newest is last, so the first is the one nobody asked for the longest.
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

  /** Changes of some columns together: each only grows, so the sum stands still only when all do. */
  #generationOf(attributes: readonly string[]): number {
    return attributes.reduce((sum, name) => sum + (this.#table.columns.get(name)?.generation ?? 0), 0);
  }

  clear(): void {
    this.#compiled.clear();
  }
}
