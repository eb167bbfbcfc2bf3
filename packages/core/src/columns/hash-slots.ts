/**
 * A hash table of row numbers with open addressing and linear probing, 6 bytes per row. It holds no values: the caller has
 * them, computes their hashes, and compares them.
 *
 * A slot holds a row number + 1 in its low bits and, in the bits that row numbers leave free, bits of the hash, by which
 * most other values are told apart without a look at them.
 *
 * Limits: rows below 2³¹ − 1; nothing is removed. Hashes are given, so values that were chosen to collide make the table slow.
 */

/** Slots per row. With linear probing a value that is there takes 2 looks on average, another 5. */
const SLOTS_PER_ROW = 1.5;
/** 2³² / golden ratio, odd: spreads the hash over the bits that a slot has room for (Knuth, volume 3, section 6.4). */
const SPREAD = 0x9e3779b1;
/** A table of few rows has some free slots more, because a search ends at a free slot. */
const SPARE_SLOTS = 8;

/** Row numbers by hash. */
export class HashSlots {
  /** Rows for which there is room. */
  readonly capacity: number;
  readonly #slots: Int32Array;
  /** The bits of a slot that hold a row number + 1. */
  readonly #rowMask: number;

  /** @param rowsEnd above every row number that is put */
  constructor(capacity: number, rowsEnd: number = capacity) {
    this.capacity = capacity;
    this.#slots = new Int32Array(Math.ceil(capacity * SLOTS_PER_ROW) + SPARE_SLOTS);
    this.#rowMask = 2 ** Math.ceil(Math.log2(rowsEnd + 1)) - 1;
  }

  /** Bytes of the table. */
  get memoryBytes(): number {
    return this.#slots.byteLength;
  }

  /** The table of zeros of a new table, for `touchPages`. */
  get zeros(): Int32Array {
    return this.#slots;
  }

  /** The first slot whose row may have a value of this hash, or else the free slot where such a row would go. */
  first(hash: number): number {
    // Uniform over any number of slots (Lemire's multiplication instead of a remainder).
    return this.#from(Math.floor((hash * this.#slots.length) / 0x1_0000_0000), hash);
  }

  /** The next such slot. */
  next(slot: number, hash: number): number {
    return this.#from(slot + 1, hash);
  }

  /** The row in a slot; −1 where the slot is free. */
  rowAt(slot: number): number {
    return (this.#slots[slot]! & this.#rowMask) - 1;
  }

  /** Put a row into the slot that `first` or `next` gave for its hash: a free one, or one whose row it replaces. */
  put(slot: number, row: number, hash: number): void {
    this.#slots[slot] = (Math.imul(hash, SPREAD) & ~this.#rowMask) | (row + 1);
  }

  #from(begin: number, hash: number): number {
    const slots = this.#slots;
    const others = ~this.#rowMask;
    const tag = Math.imul(hash, SPREAD) & others;
    for (let slot = begin; ; slot++) {
      if (slot === slots.length) slot = 0;
      const held = slots[slot]!;
      if (held === 0 || (held & others) === tag) return slot;
    }
  }
}
