/** The readable form of `finiteScore` of packages/core/assembly/keys.ts. */

import { FLOAT32_MAX } from '../../checks/numbers.ts';

/** A score that float32 cannot hold is the largest number of its sign; one that is no number is the least. */
export function finiteScore(score: number): number {
  return Number.isNaN(score) ? -FLOAT32_MAX : Math.max(-FLOAT32_MAX, Math.min(FLOAT32_MAX, score));
}
