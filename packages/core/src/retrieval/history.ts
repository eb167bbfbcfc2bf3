/** The history of a training run: one record for each epoch, as plain values, so that a checkpoint can hold them. */
import type { Evaluation } from './evaluate.ts';
import type { Losses } from './losses.ts';

/** The losses and metrics of one epoch. */
export interface EpochRecord extends Losses {
  epoch: number;
  seconds: number;
  /** In-batch accuracies over the epoch's steps; present where the task has some. */
  batchMetrics?: Record<string, number>;
  /** Present where validation data were given. */
  validation?: Evaluation;
}

/** Every epoch's record. */
export interface History {
  epochs: EpochRecord[];
  /** True when `earlyStopping` ended the run before its last epoch. */
  stoppedEarly: boolean;
  /** The epoch, from 1, whose parameters the model has, where they are not those of the last one. */
  bestEpoch?: number;
}
