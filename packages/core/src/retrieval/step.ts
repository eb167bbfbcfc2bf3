/** The parts of a two-tower model, and one step of training or evaluation with them. */
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { EncodedBatch } from './dataset.ts';
import type { StepFigures } from './losses.ts';
import type { Retrieval } from './task.ts';

/** The parts of a model that `fit`, `evaluate` and checkpoints use. */
export interface ModelParts<Q extends Features, C extends Features> {
  readonly queryTower: Tower<Q>;
  readonly candidateTower: Tower<C>;
  readonly task: Retrieval;
  readonly optimizer: SparseOptimizer;
}

/** The loss of a batch; with `learn` both towers are stepped by its gradients. */
export function step<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  batch: EncodedBatch,
  learn: boolean,
): StepFigures {
  const queries = model.queryTower.distinct(batch.queryIds);
  const candidates = model.candidateTower.distinct(batch.candidateIds);
  const sides = {
    queries: model.queryTower.forward(queries.ids),
    candidates: model.candidateTower.forward(candidates.ids),
    queryOf: queries.groupOf,
    candidateOf: candidates.groupOf,
    sampleWeight: batch.sampleWeight,
    candidateSamplingProbability: batch.candidateSamplingProbability,
    candidateIds: batch.identifiers ?? candidates.groupOf,
  };
  const { queryGradients, candidateGradients, ...result } = model.task.compute(sides, { learn });
  if (learn && Number.isFinite(result.loss)) {
    model.queryTower.backward(queryGradients, model.optimizer);
    model.candidateTower.backward(candidateGradients, model.optimizer);
  }
  queryGradients.free();
  candidateGradients.free();
  return result;
}
