/** The names that most programs need (`shortlist`); each file of entries/ has those of one more subject. Re-exports only. */

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
// data
export { type InteractionColumns, type Interactions, interactionsOf } from './data/interactions.ts';
// embeddings
export type { EmbeddingOptions } from './embeddings/make-table.ts';
export { OOV_TOKEN, StringLookup, type StringLookupOptions } from './embeddings/string-lookup.ts';
// errors
export { ERROR_CATALOGUE, type ErrorCode } from './errors/catalogue.ts';
export * from './errors/errors.ts';
// metrics
export { FactorizedTopK, type FactorizedTopKOptions, type FactorizedTopKTruth } from './metrics/factorized-top-k.ts';
// parallel
export { defaultRuntime, Runtime, type RuntimeOptions } from './parallel/runtime.ts';
// quantization
export { balancedPca } from './quantization/pca.ts';
// recipes
export { type FitRecommenderOptions, type FittedRecommender, fitRecommender } from './recipes/fit-recommender.ts';
export {
  type TrainedRecommender,
  type TrainRecommenderOptions,
  trainRecommender,
} from './recipes/train-recommender.ts';
export type { ChosenModel } from './recipes/trial.ts';
// retrieval
export { FitAbortedError } from './retrieval/checkpoint.ts';
export type { RetrievalDataset } from './retrieval/dataset.ts';
export type { EarlyStopping } from './retrieval/early-stopping.ts';
export type { EvaluateOptions, Evaluation } from './retrieval/evaluate.ts';
export type { CheckpointOffer, FitOptions, FitProgress, FitValidation } from './retrieval/fit-options.ts';
export type { EpochRecord, History } from './retrieval/history.ts';
export { TwoTowerModel, type TwoTowerOptions } from './retrieval/model.ts';
export type { RetrievalSource } from './retrieval/source.ts';
export { Retrieval, type RetrievalInputs, type RetrievalOptions, type RetrievalResult } from './retrieval/task.ts';
// seen
export { type HistoryIndex, type HistoryVectors, historyVectors } from './seen/history-vectors.ts';
export { SeenItems, type SeenItemsParts } from './seen/seen-items.ts';
export type {
  EmptySeenItemsOptions,
  IdentifierType,
  SeenAsHistory,
  SeenInteractionsOptions,
  SeenItemsOptions,
} from './seen/seen-items-options.ts';
// topk
export { BruteForce, type BruteForceOptions } from './topk/brute-force/brute-force.ts';
export type {
  ApproximateTopK,
  AsyncTopK,
  CallOptions,
  CandidateBatch,
  CandidateDataset,
  CandidateFilter,
  CandidatePredicate,
  CandidateSequence,
  DistanceMeasure,
  Identifier,
  Queries,
  QueryModel,
  RebalancingTopK,
  TopK,
  TopKOptions,
  UpdatableTopK,
} from './topk/contract.ts';
export { type Hit, TopKResult } from './topk/result.ts';
export { recallTarget } from './topk/scann/calibration/calibrate.ts';
export { measuredRotation } from './topk/scann/calibration/rotation-choice.ts';
export { measuredRows } from './topk/scann/calibration/row-format.ts';
export type { ScannOptions } from './topk/scann/options.ts';
export { type IndexingOptions, ScaNN } from './topk/scann/scann.ts';
export type { ScannCallOptions } from './topk/scann/search/call.ts';
export type { SearchSettings } from './topk/scann/search-settings.ts';
export { type Segments, segmentsOf } from './topk/scann/segments/segments.ts';
export type { ReorderRows, ScannSettings } from './topk/scann/settings.ts';
export { indexStreamed } from './topk/scann/streamed/index-streamed.ts';
export type { StreamedBuild } from './topk/scann/streamed/partition-dataset.ts';
export { memoryRuns, type RunStore } from './topk/scann/streamed/run-store.ts';
export { type SimilarOptions, type SimilarTo, similar, similarAsync } from './topk/similar.ts';
export { Streaming, type StreamingCallOptions, type StreamingOptions } from './topk/streaming/streaming.ts';
// towers
export { type CreateTowersOptions, createTowers } from './towers/create-towers.ts';
export { Tower } from './towers/tower.ts';
export type { FeatureInput, Features, InputOf, TowerInput, WordInput } from './towers/tower-inputs.ts';
export type { FeatureOptions, FeatureTowerOptions, TowerHead, TowerParts } from './towers/tower-options.ts';
// tuning
export { type TunedPoint, type TuneOptions, type TuneReport, tune } from './tuning/tune.ts';
// vectors
export { Matrix, type VectorsLike } from './vectors/matrix.ts';
