/**
 * Checkpoints: the whole state of a training run as plain arrays, so that a resumed run gives the same bits as one that was
 * never interrupted (with dense layers on the same kind of machine, docs/decisions/same-bits-everywhere.md).
 *
 * Parameters and optimizer state are copied in the order of the towers' inputs and layers.
 */

import { checkArgument } from '../checks/arguments.ts';
import { objectWith } from '../checks/options.ts';
import type { LearnedPointers } from '../embeddings/learned-pointers.ts';
import { AbortedError, ShapeError } from '../errors/errors.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { ParameterGroups } from '../optimizers/parameter-groups.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { BestEpoch } from './best-epoch.ts';
import type { SavedMemory } from './cross-batch-memory.ts';
import type { EpochRecord } from './history.ts';
import { clusteringTables, parametersOf } from './parameters.ts';
import type { ModelParts } from './step.ts';

/** The position of a training run between two steps. */
export interface CheckpointPosition {
  /** Number of epochs done. */
  epoch: number;
  /** Steps done of the epoch after those; all its steps where its validation was interrupted. */
  step: number;
  /** The sums of that epoch so far, as `LossMeter.save`. */
  losses: number[];
  /** Records of the epochs that are done. */
  epochs: readonly EpochRecord[];
  /** The best of those epochs where the run is to end with its parameters, or undefined. */
  best: BestEpoch | undefined;
  /** The candidate vectors of earlier batches, where the run keeps them as negatives. */
  memory?: SavedMemory | undefined;
  /** The fingerprint of the source, where the run reads one. */
  source?: string | undefined;
}

/** The optimizer of a group of parameters. */
export interface OptimizerGroup {
  name: string;
  learningRate: number;
}

/** The state of a run, from which `fit` can resume it. */
export interface Checkpoint extends CheckpointPosition {
  optimizer: { name: string; learningRate: number; groups?: readonly OptimizerGroup[] };
  /** Parameters and, after each that has one, its optimizer state. */
  arrays: Float32Array[];
  /** The learned pointers of each CQR table. */
  pointers: LearnedPointers[];
}

/** Thrown when training was interrupted; `checkpoint` is the state of the run, from which `fit` can resume. */
export class FitAbortedError extends AbortedError {
  readonly checkpoint: Checkpoint;

  constructor(checkpoint: Checkpoint, signal: AbortSignal) {
    super(`fit: interrupted after ${checkpoint.epoch} epochs and ${checkpoint.step} steps`, { cause: signal.reason });
    this.checkpoint = checkpoint;
  }
}

/** Copy a model's parameters and optimizer state. */
export function takeCheckpoint<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  position: CheckpointPosition,
): Checkpoint {
  checkArgument('model', model, objectWith('a model with an optimizer', 'optimizer', 'queryTower', 'candidateTower'));
  checkArgument('position', position, objectWith('an epoch and a step', 'epoch', 'step', 'epochs'));
  const { name, learningRate } = model.optimizer;
  const groups = groupsOf(model.optimizer).map((group) => ({ name: group.name, learningRate: group.learningRate }));
  const arrays = matrices(model).map(({ data }) => data.slice());
  const pointers = clusteringTables(model).map((table) => table.takePointers());
  const optimizer = { name, learningRate, ...(groups.length > 0 && { groups }) };
  return { ...position, epochs: [...position.epochs], optimizer, arrays, pointers };
}

/**
 * Restore parameters, optimizer state and pointers from a checkpoint.
 *
 * @param steps the steps of an epoch of the resumed run
 * @throws {ShapeError} when it belongs to a model of another shape or optimizer, or to an epoch of more steps
 */
export function restoreCheckpoint<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  { optimizer, arrays, pointers, step, best }: Checkpoint,
  steps: number,
): void {
  const targets = matrices(model);
  const tables = clusteringTables(model);
  const same =
    tables.length === pointers.length &&
    isSameOptimizer(optimizer, model.optimizer) &&
    sameLengths(targets, arrays) &&
    (!best || (best.pointers.length === tables.length && sameLengths(parametersOf(model), best.parameters)));
  if (!same)
    throw new ShapeError(
      'resume: expected a checkpoint of a model with the same shape and optimizer, got one of a different model',
    );
  if (step > steps) {
    throw new ShapeError(
      `resume: expected a checkpoint of a run with at most ${steps} steps per epoch, got one after ${step}`,
    );
  }
  model.optimizer.learningRate = optimizer.learningRate;
  groupsOf(model.optimizer).forEach((group, i) => {
    group.learningRate = optimizer.groups![i]!.learningRate;
  });
  tables.forEach((table, i) => {
    table.restorePointers(pointers[i]!);
  });
  targets.forEach(({ data }, i) => {
    data.set(arrays[i]!);
  });
}

function groupsOf(optimizer: SparseOptimizer): readonly SparseOptimizer[] {
  return optimizer instanceof ParameterGroups ? optimizer.groups : [];
}

/**
 * Checkpoints of versions before 0.2 call lazy Adam 'adam'; the state of both is the same. The name of parameter groups
 * names each of them.
 */
function isSameOptimizer({ name, groups = [] }: Checkpoint['optimizer'], optimizer: SparseOptimizer): boolean {
  const isLazyAdam = name === 'adam' && optimizer.name === 'lazy-adam';
  return (name === optimizer.name || isLazyAdam) && groups.length === groupsOf(optimizer).length;
}

function sameLengths(matrices: readonly Matrix[], arrays: readonly Float32Array[]): boolean {
  return matrices.length === arrays.length && matrices.every(({ data }, i) => data.length === arrays[i]!.length);
}

function matrices<Q extends Features, C extends Features>(model: ModelParts<Q, C>): Matrix[] {
  return parametersOf(model).flatMap((matrix) => {
    const state = model.optimizer.state(matrix);
    return state ? [matrix, state] : [matrix];
  });
}
