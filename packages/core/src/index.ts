/** Shortlist's public surface: re-exports only, folder by folder in the order of the tiers. */

// als
export { type AlsModel, type AlsOptions, fitAls } from './als/fit-als.ts';
export { FoldIn, type UserOrHistory } from './als/fold-in.ts';
// bundle
export {
  type Bundle,
  type BundleContents,
  bundleFromBytes,
  bundleToBytes,
  type LoadOptions,
  readBundle,
  writeBundle,
  writeBundleAsync,
} from './bundle/bundle.ts';
export { checkpointFromBytes, checkpointToBytes, readCheckpoint, writeCheckpoint } from './bundle/checkpoint.ts';
export type { SavableIndex } from './bundle/registry.ts';
// checks
export { nearestName } from './checks/nearest-name.ts';
// checks
export type { OnWarning } from './checks/warning.ts';
// clustering
export { type Assignment, assignNearest } from './clustering/assign.ts';
export type { Progress } from './clustering/k-means.ts';
export { type TrainedKMeans, type TrainKMeansOptions, trainKMeans } from './clustering/train.ts';
// data
export {
  type DictionaryColumn,
  dictionaryColumn,
  type InteractionColumns,
  type Interactions,
  interactionsOf,
  takeInteractions,
} from './data/interactions.ts';
export { type CodeLists, itemsByUser, listOf, transposeLists } from './data/items-by-user.ts';
export {
  MOVIELENS_100K_ROWS,
  MOVIELENS_GENRES,
  type MovieLens,
  type MovieLensFiles,
  type Movies,
  parseMovieLens100K,
  type Users,
} from './data/movielens-100k.ts';
export { type MovieLensRatings, takeRatings } from './data/movielens-ratings.ts';
export {
  type InteractionSplit,
  type LeaveLastOutOptions,
  leaveLastOut,
  splitByTime,
  type TimeCut,
} from './data/split.ts';
export { syntheticMovieLens } from './data/synthetic.ts';
export { type TutorialSplit, tutorialSplit } from './data/tutorial-split.ts';
// embeddings
export { type ClusterOptions, cluster } from './embeddings/cluster.ts';
export type { ClusterHealth } from './embeddings/cluster-health.ts';
export { type CoOccurrenceOptions, pointByCoOccurrence } from './embeddings/co-occurrence.ts';
export type { CoOccurrences } from './embeddings/co-occurrence-matrix.ts';
export type { EmbeddingTable } from './embeddings/contract.ts';
export { Cqr, type CqrOptions } from './embeddings/cqr.ts';
export { FullTable, type FullTableOptions } from './embeddings/full.ts';
export { EMBEDDING_METHODS, type EmbeddingOptions, makeTable } from './embeddings/make-table.ts';
export { type ProductOptions, quantizeProduct } from './embeddings/product.ts';
export { QuantizedTable, type QuantizeOptions } from './embeddings/quantized.ts';
export { quantizeResidual, type ResidualOptions } from './embeddings/residual.ts';
export { OOV_TOKEN, StringLookup, type StringLookupOptions } from './embeddings/string-lookup.ts';
export type { TableContext } from './embeddings/table-context.ts';
// errors
export { ERROR_CATALOGUE, type ErrorCode } from './errors/catalogue.ts';
export * from './errors/errors.ts';
// format
export type { Savable, Saved, SavedSection } from './format/saved.ts';
export type { Json, JsonObject } from './format/settings.ts';
export type { Source } from './format/source.ts';
export type { AsyncSink, Sink } from './format/writer.ts';
// kernels
export { referenceKernels } from './kernels/reference/index.ts';
// least-squares
export { rho } from './least-squares/conditioning.ts';
export { Dense } from './least-squares/dense.ts';
export { type CqrNoise, type DenseCqrOptions, type DenseCqrRun, denseCqr } from './least-squares/dense-cqr.ts';
export { type SparseCqrOptions, sparseCqr } from './least-squares/sparse-cqr.ts';
// metrics
export { type BootstrapOptions, bootstrapDifference, bootstrapMean, type Estimate } from './metrics/bootstrap.ts';
export { type ClickMetrics, clickMetrics } from './metrics/click-metrics.ts';
export {
  compareEvaluations,
  type EvaluateRecommenderOptions,
  evaluateRecommender,
  type RecommenderEvaluation,
  type RecommenderMetrics,
  type SegmentMetrics,
} from './metrics/evaluate-recommender.ts';
export { FactorizedTopK, type FactorizedTopKOptions, type FactorizedTopKTruth } from './metrics/factorized-top-k.ts';
export {
  type EvaluatedUser,
  evaluatePerUser,
  type PerUserMetrics,
  type PerUserOptions,
  type PerUserResult,
} from './metrics/per-user.ts';
export { RANKING_METRICS, type RankingMetrics, rankingMetrics, recallAtK } from './metrics/ranking.ts';
// optimizers
export { Adagrad, type AdagradOptions } from './optimizers/adagrad.ts';
export { Adam, type AdamOptions } from './optimizers/adam.ts';
export type { SparseOptimizer } from './optimizers/contract.ts';
export { Sgd, type SgdOptions } from './optimizers/sgd.ts';
// parallel
export { defaultRuntime, Runtime, type RuntimeOptions } from './parallel/runtime.ts';
// quantization
export { type BalancedPca, type BalancedPcaOptions, rotateRows, trainBalancedPca } from './quantization/pca.ts';
export type { ProductCodebook } from './quantization/product/codebook.ts';
export { decodeProduct } from './quantization/product/decode.ts';
export { encodeProduct, type ProductEncodingOptions } from './quantization/product/encode.ts';
export { type ProductTrainingOptions, trainProductCodebook } from './quantization/product/train.ts';
// random
export { Generator } from './random/generator.ts';
// recipes
export { type FitRecommenderOptions, type FittedRecommender, fitRecommender } from './recipes/fit-recommender.ts';
export {
  type TrainedRecommender,
  type TrainRecommenderOptions,
  trainRecommender,
} from './recipes/train-recommender.ts';
export type { ChosenModel, FittedModel, ModelKind, Settings, Trial } from './recipes/trial.ts';
// recommenders
export { baselines } from './recommenders/baselines.ts';
export type { Recommender } from './recommenders/contract.ts';
export { EASE_ITEMS_MAX, Ease, type EaseOptions } from './recommenders/ease.ts';
export { ItemKnn, type ItemKnnOptions } from './recommenders/item-knn.ts';
export { Popularity, type PopularityOptions } from './recommenders/popularity.ts';
export { ThroughIndex, type ThroughIndexOptions } from './recommenders/through-index.ts';
export { type Checkpoint, FitAbortedError, takeCheckpoint } from './retrieval/checkpoint.ts';
// retrieval
export {
  type ClusterRecord,
  type ClusterSchedule,
  clusterSteps,
} from './retrieval/cluster-schedule.ts';
export type { RetrievalDataset } from './retrieval/dataset.ts';
export type { EarlyStopping } from './retrieval/early-stopping.ts';
export type { EvaluateOptions, Evaluation, EvaluationMetric } from './retrieval/evaluate.ts';
export type { FitOptions, FitProgress } from './retrieval/fit-options.ts';
export type { EpochRecord, History } from './retrieval/history.ts';
export type { Losses } from './retrieval/losses.ts';
export {
  type ClickEpoch,
  type ClickFitOptions,
  type Clicks,
  MatrixFactorization,
  type MatrixFactorizationOptions,
} from './retrieval/matrix-factorization.ts';
export { TwoTowerModel, type TwoTowerOptions } from './retrieval/model.ts';
export { Retrieval, type RetrievalInputs, type RetrievalOptions, type RetrievalResult } from './retrieval/task.ts';
export { IndexAccess, type Reading } from './topk/access.ts';
// topk
export { BruteForce, type BruteForceOptions } from './topk/brute-force/brute-force.ts';
export {
  type ApproximateTopK,
  type AsyncTopK,
  type CallOptions,
  type CandidateBatch,
  type CandidateDataset,
  type CandidateFilter,
  type CandidatePredicate,
  type CandidateSequence,
  type Exclusions,
  type Identifier,
  type IndexDrift,
  isApproximate,
  isAsync,
  isRebalancing,
  isUpdatable,
  type LongChangeOptions,
  type Queries,
  type QueryModel,
  type RebalancingTopK,
  type TopK,
  type TopKOptions,
  type UpdatableTopK,
} from './topk/contract.ts';
export { Identifiers } from './topk/identifiers.ts';
export { recallOf } from './topk/recall.ts';
export { type Hit, TopKResult } from './topk/result.ts';
export type { DistanceMeasure, ReorderRows, ScannOptions, ScannSettings } from './topk/scann/options.ts';
export { ScaNN } from './topk/scann/scann.ts';
export type { ScannCallOptions } from './topk/scann/search/call.ts';
export { GroupFilter } from './topk/scann/search/masks.ts';
export type { SearchWork } from './topk/scann/search/search.ts';
export type { ScannStats } from './topk/scann/stats.ts';
export { Streaming, type StreamingCallOptions, type StreamingOptions } from './topk/streaming/streaming.ts';
// towers
export { type FeatureOptions, type Features, Tower, type TowerHead } from './towers/tower.ts';
// tuning
export { type AutopilotSettings, autopilot } from './tuning/autopilot.ts';
export { paretoFront, type TradeOff } from './tuning/pareto.ts';
export { type TunedPoint, type TuneOptions, type TuneReport, tune } from './tuning/tune.ts';
export {
  type BuildSettings,
  type BuiltPoint,
  type TuneBuildOptions,
  type TuneBuildReport,
  tuneBuild,
} from './tuning/tune-build.ts';
// vectors
export { Matrix, type VectorsLike } from './vectors/matrix.ts';
