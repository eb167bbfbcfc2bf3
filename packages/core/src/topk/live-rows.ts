/** Which rows of an index hold a candidate: all rows, until a candidate is deleted. */
import { maskWords } from './row-mask.ts';

/** Bit words over the rows. They are allocated at the first deletion. */
export class LiveRows {
  #words: Int32Array | undefined;
  #rows: number;
  #dead = 0;

  constructor(rows: number) {
    this.#rows = rows;
  }

  /** Rows that hold a candidate. */
  get count(): number {
    return this.#rows - this.#dead;
  }

  /** Bit r is 1 while row r is live, and past the last row; `maskWords(rows)` words. Undefined while every row is live. */
  get words(): Int32Array | undefined {
    return this.#dead === 0 ? undefined : this.#words!.subarray(0, maskWords(this.#rows));
  }

  /** The live rows in order; undefined while every row is live. */
  rows(): Int32Array | undefined {
    if (this.#dead === 0) return undefined;
    const rows = new Int32Array(this.count);
    let at = 0;
    for (let row = 0; row < this.#rows; row++) if (this.isLive(row)) rows[at++] = row;
    return rows;
  }

  isLive(row: number): boolean {
    return this.#words === undefined || ((this.#words[row >>> 5]! >>> (row & 31)) & 1) === 1;
  }

  /** One more row, which is live. */
  add(): void {
    this.#rows++;
    const words = this.#words;
    if (!words || maskWords(this.#rows) <= words.length) return;
    // An eighth more: adding rows one by one copies little in sum.
    this.#words = new Int32Array(maskWords(Math.ceil(this.#rows * 1.125))).fill(-1);
    this.#words.set(words);
  }

  /** Mark a row as deleted. Returns 1, or 0 when it held no candidate. */
  delete(row: number): number {
    if (!this.isLive(row)) return 0;
    this.#words ??= new Int32Array(maskWords(this.#rows)).fill(-1);
    this.#words[row >>> 5]! &= ~(1 << (row & 31));
    this.#dead++;
    return 1;
  }

  /** Mark a row as live. */
  restore(row: number): void {
    if (this.isLive(row)) return;
    this.#words![row >>> 5]! |= 1 << (row & 31);
    this.#dead--;
  }
}
