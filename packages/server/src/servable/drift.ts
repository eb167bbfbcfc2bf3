/** How far updates have led an index from how it was built, and which rows it had before it was built anew. */
import type { Identifier } from 'shortlist';
import type { Identifiers } from 'shortlist/topk';
import type { Drift } from './contract.ts';
import type { RebalancedIndex } from './index-parts.ts';

/** Updates after which drift is looked at again, as a share of the candidates: a look scores thousands of them. */
const DRIFT_AFTER_SHARE = 0.02;

/** The drift of an index as of a few updates ago. */
export class DriftWatch {
  readonly #index: RebalancedIndex;
  #drift: Drift = { movedShare: 0, distanceRatio: 1 };
  #updatesSince = 0;

  constructor(index: RebalancedIndex) {
    this.#index = index;
  }

  /** One more update was applied. */
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

/** Of each row after a rebalance the row before: rows keep their order and lose the deleted ones. */
export function rowsBefore(before: Identifiers<Identifier>, after: Identifiers<Identifier>): number[] {
  let row = -1;
  return Array.from({ length: after.size }, (_, now) => {
    do row++;
    while (before.of(row) !== after.of(now));
    return row;
  });
}
