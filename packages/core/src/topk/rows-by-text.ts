/**
 * From a text to the rows of a column that hold it, without decoding the column: a table of chains over the hashes of
 * the bytes. A million texts take a tenth of a second and twelve bytes each; a map of strings takes seconds of both.
 *
 * Rows of one chain are ascending in number; two texts may share a chain, so a row counts when its text is the one asked
 * for.
 */
import type { TextColumn } from '../format/text-column.ts';

/** End of a chain. */
const NONE = -1;

/** Rows of a column by text. */
export class RowsByText {
  readonly #column: TextColumn;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;

  constructor(column: TextColumn) {
    this.#column = column;
    // Two to four heads a text: a chain is hardly ever longer than the rows that are meant.
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(2 * column.length + 2))).fill(NONE);
    this.#next = new Int32Array(column.length);
    const mask = this.#heads.length - 1;
    for (let row = column.length - 1; row >= 0; row--) {
      const head = column.hashAt(row) & mask;
      this.#next[row] = this.#heads[head]!;
      this.#heads[head] = row;
    }
  }

  /** Every row that holds `text`, ascending. */
  forEachRow(text: string, visit: (row: number) => void): void {
    const mask = this.#heads.length - 1;
    for (let row = this.#heads[this.#column.hashOf(text) & mask]!; row !== NONE; ) {
      // The visitor may change what it likes but this table.
      const next = this.#next[row]!;
      if (this.#column.at(row) === text) visit(row);
      row = next;
    }
  }
}
