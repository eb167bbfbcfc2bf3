/**
 * The parameters of the best epoch so far, so that a run can end with them (Keras: `restore_best_weights`).
 *
 * All parameters and the pointers of CQR tables are copied. The state of the optimizer is not: it stays that of the
 * last epoch.
 */
import type { LearnedPointers } from '../embeddings/learned-pointers.ts';
import type { Features } from '../towers/tower-inputs.ts';
import { clusteringTables, parametersOf } from './parameters.ts';
import type { ModelParts } from './step.ts';

/** A model's parameters after an epoch. */
export interface BestEpoch {
  /** Number of the epoch, from 1. */
  epoch: number;
  /** Parameters of the query tower, then of the candidate tower. */
  parameters: Float32Array[];
  /** The learned pointers of each CQR table. */
  pointers: LearnedPointers[];
}

/** Copy the parameters of a model after `epoch`. */
export function takeBestEpoch<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  epoch: number,
): BestEpoch {
  return {
    epoch,
    parameters: parametersOf(model).map(({ data }) => data.slice()),
    pointers: clusteringTables(model).map((table) => table.takePointers()),
  };
}

/** Give a model of the same shape these parameters. */
export function restoreBestEpoch<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  { parameters, pointers }: BestEpoch,
): void {
  clusteringTables(model).forEach((table, i) => {
    table.restorePointers(pointers[i]!);
  });
  parametersOf(model).forEach(({ data }, i) => {
    data.set(parameters[i]!);
  });
}
