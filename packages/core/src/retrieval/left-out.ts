/**
 * Pairs that do not count: accidental hits, masked pairs, and all but the hardest negatives. Their logits become
 * −Infinity; the row's own positive always stays. Source: TFRS `layers/loss.py`.
 */
import type { RetrievalBatch } from './batch.ts';

/** Which pairs do not count. */
export interface LeftOutOptions {
  removeAccidentalHits: boolean;
  /** Negatives kept a row; undefined keeps all. */
  numHardNegatives: number | undefined;
}

/** Leave out pairs of one row; logits [n]. Of negatives with equal logits those of lower columns are kept. */
export function leaveOut(logits: Float32Array, row: number, batch: RetrievalBatch, options: LeftOutOptions): void {
  const { candidateIds, scoreMask } = batch;
  for (let j = 0; j < logits.length; j++) {
    if (j === row) continue;
    const hit = options.removeAccidentalHits && candidateIds![j] === candidateIds![row];
    if (hit || (scoreMask && !scoreMask[row]![j])) logits[j] = Number.NEGATIVE_INFINITY;
  }
  const { numHardNegatives } = options;
  if (numHardNegatives === undefined || numHardNegatives >= logits.length - 1) return;
  const positive = logits[row]!;
  logits[row] = Number.NEGATIVE_INFINITY;
  const threshold = logits.toSorted()[logits.length - numHardNegatives]!;
  let ties = numHardNegatives - countAbove(logits, threshold);
  for (let j = 0; j < logits.length; j++) {
    if (logits[j]! > threshold || (logits[j] === threshold && ties-- > 0)) continue;
    logits[j] = Number.NEGATIVE_INFINITY;
  }
  logits[row] = positive;
}

/** How many values lie above a limit. */
export function countAbove(values: Float32Array, limit: number): number {
  let above = 0;
  for (const value of values) if (value > limit) above++;
  return above;
}
