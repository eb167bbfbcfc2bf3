/** The readable form of `finiteScore` of packages/core/assembly/keys.ts. */

import { FLOAT32_MAX } from '../../checks/numbers.ts';

/** Make a score finite: an infinity becomes the largest number of its sign, and NaN the least number. */
export function finiteScore(score: number): number {
  return Number.isNaN(score) ? -FLOAT32_MAX : Math.max(-FLOAT32_MAX, Math.min(FLOAT32_MAX, score));
}
