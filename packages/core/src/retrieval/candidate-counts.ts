/** Counts of candidates in rows that are seen once, and from them the sampling probabilities (sampling-probability.ts). */
import type { FeatureColumn } from '../features/contract.ts';
import type { EncodedFeatures } from '../towers/encoded-features.ts';

/** Gives each distinct candidate a number, compared by its encoded features, and counts them. */
export class CandidateCounts {
  readonly #numbers = new Map<string, number>();
  readonly #counts: number[] = [];
  #rows = 0;

  /** Rows counted so far. */
  get rows(): number {
    return this.#rows;
  }

  /** [rows] the number of each row's candidate; new candidates get the next numbers. */
  numbersOf({ rows, columns }: EncodedFeatures): Int32Array {
    return Int32Array.from({ length: rows }, (_, row) => {
      const content = columns.map((column) => contentOf(column, row)).join(';');
      const known = this.#numbers.get(content);
      if (known !== undefined) return known;
      this.#numbers.set(content, this.#counts.length);
      return this.#counts.push(0) - 1;
    });
  }

  /** Count the candidates of rows. */
  add(candidates: EncodedFeatures): void {
    for (const number of this.numbersOf(candidates)) this.#counts[number]!++;
    this.#rows += candidates.rows;
  }

  /** [rows] the share of each row's candidate in the counted rows; that of one row for one that was not counted. */
  probabilities(candidates: EncodedFeatures): Float64Array {
    return Float64Array.from(this.numbersOf(candidates), (number) => Math.max(1, this.#counts[number]!) / this.#rows);
  }
}

function contentOf(column: FeatureColumn, row: number): string {
  switch (column.kind) {
    case 'ids':
      return `${column.ids[row]}`;
    case 'floats':
      return column.values.subarray(row * column.dimensions, (row + 1) * column.dimensions).join();
    case 'bags': {
      const [from, to] = [column.offsets[row]!, column.offsets[row + 1]!];
      return `${column.ids.subarray(from, to).join()}:${column.weights?.subarray(from, to).join()}`;
    }
  }
}
