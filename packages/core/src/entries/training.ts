/**
 * Training beyond `fit` (`shortlist/training`): optimizers, checkpoints, schedules of clusterings, and click models.
 * Re-exports only.
 */

// bundle
export { checkpointFromBytes, checkpointToBytes, readCheckpoint, writeCheckpoint } from '../bundle/checkpoint.ts';
// optimizers
export { Adagrad, type AdagradOptions, RowWiseAdagrad, type RowWiseAdagradOptions } from '../optimizers/adagrad.ts';
export { Adam, type AdamOptions, LazyAdam } from '../optimizers/adam.ts';
export type { SparseOptimizer } from '../optimizers/contract.ts';
export type { ClippingOptions } from '../optimizers/gradient-clipping.ts';
export {
  type LearningRate,
  type LearningRateSchedule,
  learningRateAt,
  type ScheduleOptions,
} from '../optimizers/learning-rate.ts';
export { makeOptimizer, type OptimizerSpec } from '../optimizers/make-optimizer.ts';
export {
  type GroupOptimizer,
  type NamedParameters,
  type OptimizerOption,
  ParameterGroups,
  type ParameterGroupsOptions,
} from '../optimizers/parameter-groups.ts';
export type { RowOptimizer, RowOptimizerOptions } from '../optimizers/row-optimizer.ts';
export { Sgd, type SgdOptions } from '../optimizers/sgd.ts';
export type { RetrievalBatch } from '../retrieval/batch.ts';
export type { BestEpoch } from '../retrieval/best-epoch.ts';
export {
  type Checkpoint,
  type CheckpointPosition,
  type OptimizerGroup,
  takeCheckpoint,
} from '../retrieval/checkpoint.ts';
export type { ClickBiases } from '../retrieval/click-biases.ts';
export type { ClickEpoch, ClickFitOptions, Clicks } from '../retrieval/click-training.ts';
export { type ClusterRecord, type ClusterSchedule, clusterSteps } from '../retrieval/cluster-schedule.ts';
export type { SavedMemory } from '../retrieval/cross-batch-memory.ts';
export type { EncodedDataset } from '../retrieval/dataset.ts';
export type { EvaluationMetric } from '../retrieval/evaluate.ts';
export {
  FactorizationMachine,
  type FactorizationMachineOptions,
  type LabelledIds,
} from '../retrieval/factorization-machine.ts';
// retrieval
export {
  type GraphEmbeddings,
  type GraphSmoothingOptions,
  smoothOverGraph,
  smoothTowers,
} from '../retrieval/graph-smoothing.ts';
export type { Losses, StepLosses } from '../retrieval/losses.ts';
export {
  MatrixFactorization,
  type MatrixFactorizationOptions,
} from '../retrieval/matrix-factorization.ts';
export type { NegativeCounts, NegativesOptions } from '../retrieval/negatives.ts';
export { type HistoryQuery, type NextItemOptions, nextItemExamples } from '../retrieval/next-item-examples.ts';
export type { LossName } from '../retrieval/pair-loss.ts';
export type { Clock } from '../retrieval/pauses.ts';
export type { ModelParts } from '../retrieval/step.ts';
export { StreamingFrequency, type StreamingFrequencyOptions } from '../retrieval/streaming-frequency.ts';
export {
  type FitRecord,
  type StepRecord,
  type TrainingLog,
  type TrainingLogRecord,
  trainingLog,
} from '../retrieval/training-log.ts';
// towers
export type { BiasColumns, BiasOptions, BiasOwners } from '../towers/bias-columns.ts';
export type { WeightedIds } from '../towers/embedding-bag.ts';
export type { DistinctFeatures, EncodedFeatures } from '../towers/encoded-features.ts';
export { TableGradients, type TableUse } from '../towers/table-gradients.ts';
export {
  exportWeights,
  type ImportedEmbeddings,
  importEmbeddings,
  importWeights,
  type PretrainedEmbeddings,
  type Tensor,
} from '../towers/weights.ts';
