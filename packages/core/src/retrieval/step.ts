/** The parts of a two-tower model, and one step of training or evaluation with them. */
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { TableGradients } from '../towers/table-gradients.ts';
import type { Tower } from '../towers/tower.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { EncodedDataset } from './dataset.ts';
import type { StepLosses } from './losses.ts';
import type { Retrieval } from './task.ts';

/** The parts of a model that `fit`, `evaluate` and checkpoints use. */
export interface ModelParts<Q extends Features, C extends Features> {
  readonly queryTower: Tower<Q>;
  readonly candidateTower: Tower<C>;
  readonly task: Retrieval;
  readonly optimizer: SparseOptimizer;
}

/**
 * The loss of a batch; with `learn` both towers are stepped by its gradients.
 *
 * @param trainingStep the number of the step, from which dropout draws and a learning rate follows
 */
export function step<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  batch: EncodedDataset,
  learn: boolean,
  trainingStep = 0,
): StepLosses {
  const drawnAt = learn ? trainingStep : undefined;
  const queries = batch.queries.distinct();
  const candidates = batch.candidates.distinct();
  const sides = {
    queries: model.queryTower.forward(queries.features, drawnAt),
    candidates: model.candidateTower.forward(candidates.features, drawnAt),
    queryOf: queries.groupOf,
    candidateOf: candidates.groupOf,
    sampleWeight: batch.sampleWeight,
    candidateSamplingProbability: batch.candidateSamplingProbability,
    candidateIds: batch.identifiers ?? candidates.groupOf,
  };
  const { queryGradients, candidateGradients, ...result } = model.task.compute(sides, { learn });
  if (learn && Number.isFinite(result.loss)) {
    const { optimizer } = model;
    const tables = new TableGradients();
    optimizer.beginStep(trainingStep);
    model.queryTower.backward(queryGradients, optimizer, tables);
    model.candidateTower.backward(candidateGradients, optimizer, tables);
    tables.step(optimizer);
    optimizer.endStep();
  }
  queryGradients.free();
  candidateGradients.free();
  return result;
}
