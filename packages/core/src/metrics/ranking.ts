/**
 * Metrics of one ranked list against a set of positives (binary relevance), best first, cut at k.
 *
 * Letters: R the set of positives, r_i = 1 when the i-th result (i = 1 …) is a positive not seen before in the list, so
 * a repeated identifier counts once. Where R is empty nothing is defined and the value is undefined, never 0.
 */

import { checkArgument, IDENTIFIERS } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { optionType } from '../checks/options.ts';
import type { Identifier } from '../topk/contract.ts';

/** Every metric of a list at one k. */
export interface RankingMetrics {
  /** Σ r_i / |R|. */
  recall: number;
  /** Σ r_i / k. */
  precision: number;
  /** 1 when any r_i is 1. */
  hitRate: number;
  /** 1 / the first i with r_i = 1; 0 without one. Its mean over users is MRR. */
  reciprocalRank: number;
  /** Σ_i r_i · (hits up to i / i) / min(|R|, k). Its mean over users is MAP. */
  averagePrecision: number;
  /** Σ_i r_i / log₂(i + 1), divided by that of the best possible list. */
  ndcg: number;
}

/** The names of the metrics of one list. */
export const RANKING_METRICS: readonly (keyof RankingMetrics)[] = [
  'recall',
  'precision',
  'hitRate',
  'reciprocalRank',
  'averagePrecision',
  'ndcg',
];

const POSITIVES = optionType('a Set', (value) => value instanceof Set);

/**
 * All metrics of `ranked` at k; undefined when there are no positives.
 *
 * @throws {OptionError} when k is not an integer of at least 1
 */
export function rankingMetrics<I extends Identifier>(
  ranked: readonly I[],
  positives: ReadonlySet<I>,
  k: number,
): RankingMetrics | undefined {
  checkInteger('k', k, 1);
  checkArgument('ranked', ranked, IDENTIFIERS);
  checkArgument('positives', positives, POSITIVES);
  if (positives.size === 0) return undefined;
  const seen = new Set<I>();
  let firstHit = 0;
  let precisions = 0;
  let gain = 0;
  for (let i = 1; i <= Math.min(k, ranked.length); i++) {
    const identifier = ranked[i - 1]!;
    if (!positives.has(identifier) || seen.has(identifier)) continue;
    seen.add(identifier);
    firstHit ||= i;
    precisions += seen.size / i;
    gain += 1 / Math.log2(i + 1);
  }
  const best = Math.min(positives.size, k);
  let bestGain = 0;
  for (let i = 1; i <= best; i++) bestGain += 1 / Math.log2(i + 1);
  return {
    recall: seen.size / positives.size,
    precision: seen.size / k,
    hitRate: seen.size > 0 ? 1 : 0,
    reciprocalRank: firstHit > 0 ? 1 / firstHit : 0,
    averagePrecision: precisions / best,
    ndcg: gain / bestGain,
  };
}

/** Σ r_i / |R| of the first k results; undefined without positives. */
export function recallAtK<I extends Identifier>(
  ranked: readonly I[],
  positives: ReadonlySet<I>,
  k: number,
): number | undefined {
  return rankingMetrics(ranked, positives, k)?.recall;
}
