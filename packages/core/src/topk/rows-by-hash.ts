/**
 * A hash table from the values of a column to their rows. It stores hashes and row numbers, not values; a text column
 * computes the hashes from its bytes without decoding them. A million texts take a tenth of a second and twelve bytes
 * each; a JavaScript map of strings takes seconds and ten times the memory.
 *
 * The rows of a chain ascend. Two values may share a chain, so each row's value is compared with the wanted one.
 */

import { touchPages } from '../parallel/steps.ts';

/** Values by row, and their hashes: unsigned, equal for equal values. */
export interface HashedColumn<V> {
  readonly length: number;
  at(row: number): V | undefined;
  hashAt(row: number): number;
  hashOf(value: V): number;
}

/**
 * The number of values whose row is cached, about 4 MB. Exclusions and include lists name popular values many times; a
 * lookup without the cache hashes the text and decodes a candidate, which takes about ten times as long.
 */
const REMEMBERED_MAX = 1 << 15;
/** Cached instead of a row for a value that no row has. */
const NO_ROW = -1;

/** Rows put into the table in a step, some tenths of a millisecond: each row costs one or two cache misses. */
const ROWS_A_STEP = 1 << 10;

/** Rows of a column by value. */
export class RowsByHash<V> {
  readonly #column: HashedColumn<V>;
  /** Row + 1 of the first row of each chain; 0, the value of a new array, means no row. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  /**
   * Cache of the rows of values that were looked up and have at most one row. It stays valid because the column never
   * changes.
   */
  readonly #remembered = new Map<V, number>();

  private constructor(column: HashedColumn<V>) {
    this.#column = column;
    // Two to four heads per value: most chains then hold the rows of one value only.
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(2 * column.length + 2)));
    this.#next = new Int32Array(column.length);
  }

  /** The table of a column, in short steps. */
  static *steps<V>(column: HashedColumn<V>): Generator<void, RowsByHash<V>> {
    const table = new RowsByHash(column);
    yield* touchPages(table.#heads);
    for (let end = column.length; end > 0; end -= ROWS_A_STEP) {
      table.#add(Math.max(0, end - ROWS_A_STEP), end);
      yield;
    }
    return table;
  }

  /** Every row that holds `value`, ascending. */
  forEachRow(value: V, visit: (row: number) => void): void {
    const remembered = this.#remembered.get(value);
    if (remembered !== undefined) {
      if (remembered !== NO_ROW) visit(remembered);
      return;
    }
    let rows = 0;
    let last = NO_ROW;
    const mask = this.#heads.length - 1;
    for (let row = this.#heads[this.#column.hashOf(value) & mask]! - 1; row >= 0; ) {
      // The visitor may change anything but this table.
      const next = this.#next[row]! - 1;
      if (this.#column.at(row) === value) {
        rows++;
        last = row;
        visit(row);
      }
      row = next;
    }
    if (rows > 1) return;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(value, last);
  }

  /** Put rows [begin, end) at the heads of their chains, the last row first; larger rows were added before. */
  #add(begin: number, end: number): void {
    const mask = this.#heads.length - 1;
    for (let row = end - 1; row >= begin; row--) {
      const head = this.#column.hashAt(row) & mask;
      this.#next[row] = this.#heads[head]!;
      this.#heads[head] = row + 1;
    }
  }
}

/** A column of 8-byte numbers or integers; −0 and 0 are the same value, as in a map. */
export function wordColumn(values: Float64Array): HashedColumn<number>;
export function wordColumn(values: BigInt64Array): HashedColumn<bigint>;
export function wordColumn(values: Float64Array | BigInt64Array): HashedColumn<number | bigint> {
  const word = new DataView(new ArrayBuffer(8));
  const hashOf = (value: number | bigint): number => {
    if (typeof value === 'number') word.setFloat64(0, value + 0);
    // A bigint that does not fit 64 bits is truncated here; no row has it, so any hash is right.
    else word.setBigInt64(0, value);
    return mixed(word.getUint32(0), word.getUint32(4));
  };
  return { length: values.length, at: (row) => values[row], hashAt: (row) => hashOf(values[row]!), hashOf };
}

/**
 * A finalizer like MurmurHash3's: it spreads the few bits in which neighbouring numbers differ over the low bits, which
 * select the chain.
 */
function mixed(high: number, low: number): number {
  let hash = Math.imul(high, 0x85ebca6b) ^ low;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
