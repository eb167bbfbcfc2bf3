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
  numbersOf(candidates: EncodedFeatures): Int32Array {
    return Int32Array.from(contentsOf(candidates), (content) => {
      const known = this.#numbers.get(content);
      if (known !== undefined) return known;
      this.#numbers.set(content, this.#counts.length);
      return this.#counts.push(0) - 1;
    });
  }

  /** [rows] the number of each row's candidate; new candidates get numbers that are not kept. */
  numbersAsked(candidates: EncodedFeatures): Int32Array {
    const more = new Map<string, number>();
    return Int32Array.from(contentsOf(candidates), (content) => {
      const known = this.#numbers.get(content) ?? more.get(content);
      if (known !== undefined) return known;
      const number = this.#counts.length + more.size;
      more.set(content, number);
      return number;
    });
  }

  /** Count the candidates of rows. @returns [rows] the number of each row's candidate */
  add(candidates: EncodedFeatures): Int32Array {
    const numbers = this.numbersOf(candidates);
    for (const number of numbers) this.#counts[number]!++;
    this.#rows += candidates.rows;
    return numbers;
  }

  /** The share of the candidate with this number in the counted rows; 0 for one that was not counted. */
  shareOf(number: number): number {
    return (this.#counts[number] ?? 0) / this.#rows;
  }

  /** [rows] the share of each row's candidate in the counted rows; that of one row for one that was not counted. */
  probabilities(candidates: EncodedFeatures): Float64Array {
    const asked = this.numbersAsked(candidates);
    return new Float64Array(asked).map((number) => Math.max(1, this.#counts[number] ?? 0) / this.#rows);
  }
}

/** One text for each row; two rows have the same where their features are equal. */
function* contentsOf({ rows, columns }: EncodedFeatures): IterableIterator<string> {
  for (let row = 0; row < rows; row++) yield columns.map((column) => contentOf(column, row)).join(';');
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
