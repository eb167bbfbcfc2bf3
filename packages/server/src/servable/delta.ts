/**
 * Candidates that changed since an index was built: rows of the index that no longer count, and new rows beside it.
 *
 * New rows are scanned exactly by one loop over flat float32, rows behind the index's own: row size + slot. Slots are
 * never reused, so a row number means one candidate for as long as the version lives; compaction makes a fresh index.
 */
import type { Identifier } from 'shortlist';

/** Slots allotted at first. */
const SLOTS_MIN = 64;

/** A row found in the delta. */
export interface DeltaHit {
  row: number;
  score: number;
}

/** Updates over `baseRows` rows of an index. */
export class Delta {
  readonly baseRows: number;
  readonly dimensions: number;
  /** Bit r is 1 while row r of the index counts; undefined while all do. */
  alive: Int32Array | undefined;
  /** Rows of the index that no longer count. */
  dead = 0;
  #vectors: Float32Array;
  readonly #identifiers: (Identifier | undefined)[] = [];
  readonly #slots = new Map<Identifier, number>();

  constructor(baseRows: number, dimensions: number) {
    this.baseRows = baseRows;
    this.dimensions = dimensions;
    this.#vectors = new Float32Array(SLOTS_MIN * dimensions);
  }

  /** Rows of index and delta together, dead ones included. */
  get rows(): number {
    return this.baseRows + this.#identifiers.length;
  }

  /** Candidates that count. */
  get size(): number {
    return this.baseRows - this.dead + this.#slots.size;
  }

  /** True when nothing was changed. */
  get isEmpty(): boolean {
    return this.dead === 0 && this.#identifiers.length === 0;
  }

  /** Take a row of the index out. */
  kill(row: number): void {
    this.alive ??= new Int32Array((this.baseRows + 31) >>> 5).fill(-1);
    const bit = 1 << (row & 31);
    if (this.alive[row >>> 5]! & bit) {
      this.alive[row >>> 5]! &= ~bit;
      this.dead++;
    }
  }

  /** Whether a row counts. */
  isAlive(row: number): boolean {
    if (row >= this.baseRows) return this.#identifiers[row - this.baseRows] !== undefined;
    return this.alive === undefined || ((this.alive[row >>> 5]! >>> (row & 31)) & 1) === 1;
  }

  /** Rows of the index that count and that a filter lets through; undefined for all. */
  mask(words: Int32Array | undefined): Int32Array | undefined {
    const { alive } = this;
    if (!alive || !words) return alive ?? words;
    const mask = alive.slice();
    for (let w = 0; w < mask.length; w++) mask[w]! &= words[w]!;
    return mask;
  }

  /** The row of an identifier in the delta, or undefined. */
  rowOf(identifier: Identifier): number | undefined {
    const slot = this.#slots.get(identifier);
    return slot === undefined ? undefined : this.baseRows + slot;
  }

  /** Take an identifier out of the delta. */
  remove(identifier: Identifier): void {
    const slot = this.#slots.get(identifier);
    if (slot === undefined) return;
    this.#identifiers[slot] = undefined;
    this.#slots.delete(identifier);
  }

  /** Insert or replace a candidate; its row. */
  put(identifier: Identifier, vector: Float32Array): number {
    const slot = this.#slots.get(identifier) ?? this.#identifiers.push(identifier) - 1;
    this.#slots.set(identifier, slot);
    const needed = (slot + 1) * this.dimensions;
    if (needed > this.#vectors.length) {
      const larger = new Float32Array(Math.max(needed, 2 * this.#vectors.length));
      larger.set(this.#vectors);
      this.#vectors = larger;
    }
    this.#vectors.set(vector, slot * this.dimensions);
    return this.baseRows + slot;
  }

  identifierOf(row: number): Identifier {
    return this.#identifiers[row - this.baseRows]!;
  }

  vectorOf(row: number): Float32Array {
    const at = (row - this.baseRows) * this.dimensions;
    return this.#vectors.subarray(at, at + this.dimensions);
  }

  /** Every row that counts, with its score, for a query; `allowed` says which may be returned. */
  score(query: Float32Array, allowed: (identifier: Identifier, row: number) => boolean): DeltaHit[] {
    const hits: DeltaHit[] = [];
    const { dimensions } = this;
    const vectors = this.#vectors;
    for (const [identifier, slot] of this.#slots) {
      if (!allowed(identifier, this.baseRows + slot)) continue;
      let score = 0;
      const at = slot * dimensions;
      // Rounded to float32 after every step, as the index sums: one score for one vector wherever it lies.
      for (let t = 0; t < dimensions; t++) score = Math.fround(score + Math.fround(query[t]! * vectors[at + t]!));
      hits.push({ row: this.baseRows + slot, score });
    }
    return hits;
  }
}
