/**
 * Training beyond `fit` (`shortlist/training`): optimizers, checkpoints, schedules of clusterings, and click models. Re-
 * exports only.
 */

// bundle
export { checkpointFromBytes, checkpointToBytes, readCheckpoint, writeCheckpoint } from '../bundle/checkpoint.ts';
// optimizers
export { Adagrad, type AdagradOptions } from '../optimizers/adagrad.ts';
export { Adam, type AdamOptions } from '../optimizers/adam.ts';
export type { SparseOptimizer } from '../optimizers/contract.ts';
export { Sgd, type SgdOptions } from '../optimizers/sgd.ts';
// retrieval
export { type Checkpoint, takeCheckpoint } from '../retrieval/checkpoint.ts';
export { type ClusterRecord, type ClusterSchedule, clusterSteps } from '../retrieval/cluster-schedule.ts';
export type { EvaluationMetric } from '../retrieval/evaluate.ts';
export type { Losses } from '../retrieval/losses.ts';
export {
  type ClickEpoch,
  type ClickFitOptions,
  type Clicks,
  MatrixFactorization,
  type MatrixFactorizationOptions,
} from '../retrieval/matrix-factorization.ts';
