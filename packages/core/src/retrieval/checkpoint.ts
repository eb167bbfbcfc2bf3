/**
 * Checkpoints: everything a run needs to go on as if it had never stopped, as plain arrays.
 *
 * Parameters and optimizer state are copied in the order of the towers' inputs and layers.
 */
import { Cqr } from '../embeddings/cqr.ts';
import type { LearnedPointers } from '../embeddings/learned-pointers.ts';
import { AbortedError, ShapeError } from '../errors/errors.ts';
import type { Features, Tower } from '../towers/tower.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { EpochRecord } from './history.ts';
import type { ModelParts } from './step.ts';

/** Where a run stood. */
export interface CheckpointPosition {
  /** Whole epochs done. */
  epoch: number;
  /** Steps done in the next one; all of them where its validation was interrupted. */
  step: number;
  /** The sums of that epoch so far, as `LossMeter.save`. */
  losses: number[];
  /** Records of the whole epochs. */
  epochs: readonly EpochRecord[];
}

/** A run that can go on. */
export interface Checkpoint extends CheckpointPosition {
  optimizer: { name: string; learningRate: number };
  /** Parameters and, after each that has one, its optimizer state. */
  arrays: Float32Array[];
  /** Where the ids of each CQR table point. */
  pointers: LearnedPointers[];
}

/** Training was interrupted; `checkpoint` is where. */
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
  const { name, learningRate } = model.optimizer;
  const arrays = matrices(model).map(({ data }) => data.slice());
  const pointers = clusteringTables(model).map((table) => table.takePointers());
  return { ...position, epochs: [...position.epochs], optimizer: { name, learningRate }, arrays, pointers };
}

/**
 * Put a checkpoint's arrays back.
 *
 * @param steps of an epoch of the run that goes on
 * @throws {ShapeError} when it belongs to a model of another shape or optimizer, or to an epoch of more steps
 */
export function restoreCheckpoint<Q extends Features, C extends Features>(
  model: ModelParts<Q, C>,
  { optimizer, arrays, pointers, step }: Checkpoint,
  steps: number,
): void {
  const targets = matrices(model);
  const tables = clusteringTables(model);
  const same =
    tables.length === pointers.length &&
    optimizer.name === model.optimizer.name &&
    targets.length === arrays.length &&
    targets.every(({ data }, i) => data.length === arrays[i]!.length);
  if (!same) throw new ShapeError('resume: expected a checkpoint of a model of this shape and optimizer, got another');
  if (step > steps) {
    throw new ShapeError(`resume: expected a checkpoint within ${steps} steps an epoch, got one after ${step}`);
  }
  model.optimizer.learningRate = optimizer.learningRate;
  tables.forEach((table, i) => {
    table.restorePointers(pointers[i]!);
  });
  targets.forEach(({ data }, i) => {
    data.set(arrays[i]!);
  });
}

function matrices<Q extends Features, C extends Features>(model: ModelParts<Q, C>): Matrix[] {
  const ofTower = <F extends Features>(tower: Tower<F>): Matrix[] => tower.parameters();
  return [...ofTower(model.queryTower), ...ofTower(model.candidateTower)].flatMap((matrix) => {
    const state = model.optimizer.state(matrix);
    return state ? [matrix, state] : [matrix];
  });
}

function clusteringTables<Q extends Features, C extends Features>(model: ModelParts<Q, C>): Cqr[] {
  const tables = [...model.queryTower.inputs, ...model.candidateTower.inputs].map(({ table }) => table);
  return tables.filter((table) => table instanceof Cqr);
}
