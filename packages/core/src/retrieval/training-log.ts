/**
 * The log of a training run: one record for each step and each epoch, as JSON Lines that a plot can read.
 *
 *   {"record":"fit","model":"two-tower","settings":{…}}      where a search fits several models
 *   {"record":"step","epoch":1,"step":1,"trainingStep":0,"rows":8192,"loss":…,"lossPerExample":…,"learningRate":…,"seconds":…}
 *   {"record":"epoch","epoch":1,"perExample":…,"lastBatch":…,"kerasBar":…,"seconds":…,"validation":{…}}
 *
 * A run that was killed and resumed from an older checkpoint writes some steps again; the later line of a step is valid.
 */
import { checkArgument } from '../checks/arguments.ts';
import { FUNCTION, type OptionType, objectWith } from '../checks/options.ts';
import type { EpochRecord } from './history.ts';

/** The record of a step. */
export interface StepRecord {
  /** The number of the epoch, from 1. */
  epoch: number;
  /** The number of the step in its epoch, from 1. */
  step: number;
  /** The number of the step in the run, from 0, from which learning rates follow. */
  trainingStep: number;
  rows: number;
  /** The loss of the batch before the step, by the reduction of the task. */
  loss: number;
  /** The mean loss of an example. */
  lossPerExample: number;
  learningRate: number;
  /** Seconds since the run began, or was resumed. */
  seconds: number;
}

/** The record of the beginning of a fit, where a search makes several. */
export interface FitRecord {
  /** The kind of model, such as 'two-tower'. */
  model: string;
  settings: Readonly<Record<string, number>>;
}

/** A line of the log. */
export type TrainingLogRecord =
  | ({ record: 'fit' } & FitRecord)
  | ({ record: 'step' } & StepRecord)
  | ({ record: 'epoch' } & EpochRecord);

/** Callbacks that write a log: `onStepEnd` and `onEpochEnd` are those of `fit`. */
export interface TrainingLog {
  readonly onFitStart: (record: FitRecord) => void;
  readonly onStepEnd: (record: StepRecord) => void;
  readonly onEpochEnd: (record: EpochRecord) => void;
}

/** The type of an option that takes a log. */
export const LOG: OptionType = objectWith('a training log', 'onFitStart', 'onStepEnd', 'onEpochEnd');

/**
 * Callbacks that pass each record as a line of JSON. `fit` takes two of them:
 * `const { onStepEnd, onEpochEnd } = trainingLog(write); fit(dataset, { onStepEnd, onEpochEnd })`.
 *
 * @param write takes a line without its end
 * @throws {OptionError} when `write` is no function
 */
export function trainingLog(write: (line: string) => void): TrainingLog {
  checkArgument('write', write, FUNCTION);
  const pass = (record: TrainingLogRecord): void => write(JSON.stringify(record));
  return {
    onFitStart: ({ model, settings }) => pass({ record: 'fit', model, settings }),
    onStepEnd: (record) => pass({ record: 'step', ...record }),
    onEpochEnd: (record) => pass({ record: 'epoch', ...record }),
  };
}
