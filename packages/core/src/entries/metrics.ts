/**
 * Metrics (`shortlist/metrics`): of recommenders on held-out interactions, with intervals; of rankings, users and clicks;
 * the recall of an index. Re-exports only.
 */

// metrics
export { type BootstrapOptions, bootstrapDifference, bootstrapMean, type Estimate } from '../metrics/bootstrap.ts';
export { type ClickMetrics, clickMetrics } from '../metrics/click-metrics.ts';
export {
  type CompareOptions,
  compareEvaluations,
  type EvaluateRecommenderOptions,
  evaluateRecommender,
  type RecommenderEvaluation,
  type RecommenderMetrics,
  type SegmentMetrics,
} from '../metrics/evaluate-recommender.ts';
export {
  type EvaluatedUser,
  evaluatePerUser,
  type PerUserMetrics,
  type PerUserOptions,
  type PerUserResult,
} from '../metrics/per-user.ts';
export { RANKING_METRICS, type RankingMetrics, rankingMetrics, recallAtK } from '../metrics/ranking.ts';
// topk
export { type RowsOfQueries, recallOf } from '../topk/recall.ts';
