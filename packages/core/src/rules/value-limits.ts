/** Counts the values of the results chosen so far, and tests which candidates the limits still allow. */
import type { ValueLimit } from './check.ts';
import type { CandidateValue } from './contract.ts';

interface Count {
  limit: ValueLimit;
  /** Results by value. */
  held: Map<CandidateValue, number>;
  /** Values that have reached the limit. */
  full: Set<CandidateValue>;
}

/** The number of results with each value of each limited attribute. */
export class ValueLimits {
  readonly #counts: readonly Count[];

  constructor(limits: readonly ValueLimit[]) {
    this.#counts = limits.map((limit) => ({ limit, held: new Map(), full: new Set() }));
  }

  /** True if the limits allow a row as a further result. */
  admits(row: number): boolean {
    return this.#counts.every(({ limit, full }) => !limit.column.valuesOf(row).some((value) => full.has(value)));
  }

  /** Count a row that became a result. */
  add(row: number): void {
    for (const { limit, held, full } of this.#counts) {
      for (const value of limit.column.valuesOf(row)) {
        const count = (held.get(value) ?? 0) + 1;
        held.set(value, count);
        if (count >= limit.most) full.add(value);
      }
    }
  }

  /**
   * Returns a function that tests if a row has a value at its limit. It is fast for many rows and uses the present
   * counts.
   */
  rowsThatAreFull(): (row: number) => boolean {
    const tests = this.#counts
      .filter(({ full }) => full.size > 0)
      .map(({ limit, full }) => limit.column.rowsWith(full));
    const [only] = tests;
    if (tests.length === 1) return only!;
    return (row) => tests.some((test) => test(row));
  }
}
