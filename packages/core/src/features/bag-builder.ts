/** Collects the ids of lists row by row, without padding, as the column of a feature. */
import type { BagColumn } from './contract.ts';

/** Builds a column of lists. Rows are begun in ascending order; a row that is not begun has no ids. */
export class BagBuilder {
  readonly #offsets: Int32Array;
  readonly #ids: number[] = [];
  readonly #weights: number[] | undefined;
  /** The row that was begun last. */
  #row = 0;

  /** @param isWeighted whether each id has a weight */
  constructor(rows: number, isWeighted: boolean) {
    this.#offsets = new Int32Array(rows + 1);
    this.#weights = isWeighted ? [] : undefined;
  }

  /** The ids that follow are those of this row. */
  beginRow(row: number): void {
    this.#offsets.fill(this.#ids.length, this.#row + 1, row + 1);
    this.#row = row;
  }

  /** Add an id to the row; its weight counts only in a column with weights. */
  add(id: number, weight = 1): void {
    this.#ids.push(id);
    this.#weights?.push(weight);
  }

  /** The column. */
  finish(): BagColumn {
    this.#offsets.fill(this.#ids.length, this.#row + 1);
    return {
      kind: 'bags',
      offsets: this.#offsets,
      ids: Int32Array.from(this.#ids),
      weights: this.#weights && Float32Array.from(this.#weights),
    };
  }
}
