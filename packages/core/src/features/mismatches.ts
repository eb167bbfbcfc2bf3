/** Collects the raw values that do not fit a spec, so that one error names the first ten of them with feature and row. */
import { shown } from '../checks/numbers.ts';
import { FeatureError, type FeatureMismatch } from '../errors/errors.ts';

/** The most mismatches that an error names. */
export const NAMED_MAX = 10;

/** The mismatches of a call. */
export class Mismatches {
  readonly #named: FeatureMismatch[] = [];
  #count = 0;

  /** The number of mismatches so far, including those that no message names. */
  get count(): number {
    return this.#count;
  }

  /** Add a mismatch. @param row the number of the row; undefined where the whole column does not fit */
  add(feature: string, row: number | undefined, message: string): void {
    this.#count++;
    if (this.#named.length < NAMED_MAX) this.#named.push({ feature, row, message });
  }

  /** @throws {FeatureError} where there is a mismatch */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const named = this.#named.toSorted((a, b) => (a.row ?? -1) - (b.row ?? -1));
    const lines = named.map(({ feature, row, message }) =>
      row === undefined ? `${feature}: ${message}` : `${feature} in row ${row}: ${message}`,
    );
    if (this.#count === 1) throw new FeatureError(`features: ${lines[0]}`, named);
    const more = this.#count > named.length ? `; and ${this.#count - named.length} more` : '';
    throw new FeatureError(
      `features: expected values that fit the spec, got ${this.#count} that do not fit: ${lines.join('; ')}${more}`,
      named,
    );
  }
}

/** The values of one feature in some rows, and a function that reports a value that does not fit. */
export interface Values {
  readonly values: ArrayLike<unknown>;
  /** Values of the second field of the feature. */
  readonly beside: ArrayLike<unknown> | undefined;
  readonly nowMs: number | undefined;
  /** Report that row `row` of `values` does not fit. */
  mismatch(row: number, expected: string, got: unknown): void;
}

/** The values of a feature, whose mismatches are added to `mismatches`. */
export function valuesOf(
  feature: string,
  columns: Pick<Values, 'values' | 'beside' | 'nowMs'>,
  firstRow: number,
  mismatches: Mismatches,
): Values {
  const mismatch = (row: number, expected: string, got: unknown): void => {
    mismatches.add(feature, firstRow + row, `expected ${expected}, got ${got === undefined ? 'none' : shown(got)}`);
  };
  return { ...columns, mismatch };
}

/** True for null and undefined. */
export function isMissing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
