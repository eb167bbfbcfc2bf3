/** The metrics of models on a test part, of one fit for each seed, and their means and intervals over users as text. */
import { bootstrapMean, type Estimate, evaluateRecommender } from 'shortlist/metrics';
import type { InteractionSplit, Recommender } from 'shortlist/recommenders';

/** The k of all metrics. */
export const K = 10;

/** The metrics of one model on the test part: [users]. */
export interface Run {
  readonly recall: Float64Array;
  readonly ndcg: Float64Array;
}

/** Evaluate a model. All items are ranked but those of the user's history. */
export function evaluated(recommender: Recommender, split: InteractionSplit): Run {
  const { recall, ndcg } = evaluateRecommender(recommender, split, { ks: [K] }).perUser[0]!;
  return { recall, ndcg };
}

/** The mean of each run, as text. */
export function meansOf(runs: readonly Float64Array[]): string {
  return runs.map((values) => bootstrapMean(values).mean.toFixed(4)).join(' ');
}

/** The mean of each user over runs. */
export function meanOfRuns(runs: readonly Float64Array[]): Float64Array {
  return runs[0]!.map((_, user) => runs.reduce((sum, run) => sum + run[user]!, 0) / runs.length);
}

/** A mean with its interval, as text. */
export function shown({ mean, low, high }: Estimate): string {
  return `${mean.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`;
}
