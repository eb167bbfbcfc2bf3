/** Watches the drift of an index under updates, and maps rows of a rebuilt index to the rows before. */
import type { Identifier } from 'shortlist';
import type { Identifiers } from 'shortlist/topk';
import type { Drift } from './contract.ts';
import type { RebalancedIndex } from './index-parts.ts';

/**
 * Number of updates, as a share of the candidates, after which drift is computed again. Computing it scores thousands
 * of candidates.
 */
const DRIFT_AFTER_SHARE = 0.02;

/** The drift of an index as of a few updates ago. */
export class DriftWatch {
  readonly #index: RebalancedIndex;
  #drift: Drift = { movedShare: 0, distanceRatio: 1 };
  #updatesSince = 0;

  constructor(index: RebalancedIndex) {
    this.#index = index;
  }

  /** Count an update that was applied. */
  updated(): void {
    this.#updatesSince++;
  }

  now(): Drift {
    const index = this.#index;
    if (this.#updatesSince > DRIFT_AFTER_SHARE * index.size) {
      const { movedShare, distance, builtDistance } = index.runtime.pool.withoutWorkers(() => index.drift());
      this.#drift = { movedShare, distanceRatio: builtDistance > 0 ? distance / builtDistance : 1 };
      this.#updatesSince = 0;
    }
    return this.#drift;
  }
}

/**
 * For each row after a rebalance, its row before. A rebalance removes deleted rows and keeps the order of the others.
 */
export function rowsBefore(before: Identifiers<Identifier>, after: Identifiers<Identifier>): number[] {
  let row = -1;
  return Array.from({ length: after.size }, (_, now) => {
    do row++;
    while (before.of(row) !== after.of(now));
    return row;
  });
}
