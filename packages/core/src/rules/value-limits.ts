/** Counts the values of the results chosen so far: which candidates may still join them, and which rows never will. */
import type { ValueLimit } from './check.ts';
import type { CandidateValue } from './contract.ts';

interface Count {
  limit: ValueLimit;
  /** Results by value. */
  held: Map<CandidateValue, number>;
  /** Values of which no further result may have one. */
  full: Set<CandidateValue>;
}

/** The number of results with each value of each limited attribute. */
export class ValueLimits {
  readonly #counts: readonly Count[];

  constructor(limits: readonly ValueLimit[]) {
    this.#counts = limits.map((limit) => ({ limit, held: new Map(), full: new Set() }));
  }

  /** Whether a row may join the results. */
  admits(row: number): boolean {
    return this.#counts.every(({ limit, full }) => !limit.column.valuesOf(row).some((value) => full.has(value)));
  }

  /** A row joins the results. */
  add(row: number): void {
    for (const { limit, held, full } of this.#counts) {
      for (const value of limit.column.valuesOf(row)) {
        const count = (held.get(value) ?? 0) + 1;
        held.set(value, count);
        if (count >= limit.most) full.add(value);
      }
    }
  }

  /** Whether a row has a value of which there may be no more results; fast over many rows, true to the counts of now. */
  rowsThatAreFull(): (row: number) => boolean {
    const tests = this.#counts
      .filter(({ full }) => full.size > 0)
      .map(({ limit, full }) => limit.column.rowsWith(full));
    const [only] = tests;
    if (tests.length === 1) return only!;
    return (row) => tests.some((test) => test(row));
  }
}
