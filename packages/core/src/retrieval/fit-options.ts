/** Options of `fit`, and the progress that it reports while it runs. */
import {
  BOOLEAN,
  FUNCTION,
  NUMBER,
  OBJECT,
  type OptionsCheck,
  objectWith,
  optionsCheck,
  optionType,
  required,
  SIGNAL,
} from '../checks/options.ts';
import type { Features } from '../towers/tower-inputs.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { ClusterRecord, ClusterSchedule } from './cluster-schedule.ts';
import type { RetrievalDataset } from './dataset.ts';
import type { EarlyStopping } from './early-stopping.ts';
import { EVALUATE, type EvaluateOptions } from './evaluate.ts';
import type { EpochRecord } from './history.ts';
import type { NegativesOptions } from './negatives.ts';
import type { Clock } from './pauses.ts';
import type { StepRecord } from './training-log.ts';

/** The progress after one step. */
export interface FitProgress {
  /** The number of the epoch, from 1. */
  epoch: number;
  epochs: number;
  /** The number of the step in its epoch, from 1. */
  step: number;
  steps: number;
  /** The mean loss of an example of this step's batch. */
  lossPerExample: number;
  examplesPerSecond: number;
  etaSeconds: number;
}

/** The offer to a callback of `fit` to save the run. */
export interface CheckpointOffer {
  /** Copy the state of the run at this moment, from which `fit` can resume it. Call it before the callback returns. */
  takeCheckpoint(): Checkpoint;
}

/** Interactions that a model is evaluated on after every epoch, and how. */
export type FitValidation<Q extends Features, C extends Features> = {
  dataset: RetrievalDataset<Q, C>;
} & EvaluateOptions;

/** Options of `fit`. */
export interface FitOptions<Q extends Features, C extends Features> {
  /** Passes over the data; default 1. */
  epochs?: number;
  /** Rows of a batch; default 8,192, the tutorial's. */
  batchSize?: number;
  /** A new order of rows every epoch; default true. */
  shuffle?: boolean;
  /** Rows of a source that are shuffled together, rounded up to whole batches; default 16 batches. */
  shuffleBuffer?: number;
  /**
   * Correct the loss for the frequency of each candidate (log-Q), if the data set has no `candidateSamplingProbability`
   * of its own. true, the default, takes the share of each candidate in the data set. 'streaming' estimates the shares
   * from the rows trained on so far (`StreamingFrequency`), for data whose popularity changes.
   */
  samplingCorrection?: boolean | 'streaming';
  /**
   * Negatives beside the other candidates of a batch: uniform ones of the catalogue, earlier batches; default none. A source
   * is read once before the training to find its candidates.
   */
  negatives?: NegativesOptions<C>;
  /** Seed of the orders and of the negatives; default 42. */
  seed?: number;
  /** The interactions on which the model is evaluated after every epoch. */
  validation?: FitValidation<Q, C>;
  /** Called after every step. */
  onProgress?: (progress: FitProgress) => void;
  /** The schedule of clusterings of CQR tables; default no clustering. */
  clusterings?: ClusterSchedule;
  /** Called after every clustering of a table, with its health and a warning where columns collapsed. */
  onCluster?: (record: ClusterRecord) => void;
  /** Called and awaited after every step; may write checkpoints. */
  onStepEnd?: (record: StepRecord, offer: CheckpointOffer) => void | Promise<void>;
  /** Called and awaited after every epoch; may change learning rates and write checkpoints. */
  onEpochEnd?: (record: EpochRecord, offer: CheckpointOffer) => void | Promise<void>;
  earlyStopping?: EarlyStopping;
  /**
   * End with the parameters of the epoch whose monitored quantity (`earlyStopping.monitor`) was best, at the cost of a
   * second copy of the parameters; default true with `validation`, false without.
   */
  restoreBestWeights?: boolean;
  /** Stops between two steps, of training or validation, with a `FitAbortedError`, which carries a checkpoint. */
  signal?: AbortSignal | undefined;
  /** The checkpoint from which the run continues; data set and options must be the same as before. */
  resume?: Checkpoint;
  clock?: Clock;
}

/** Refuses unknown options of `fit`, and values of a wrong type. */
export const checkFitOptions: OptionsCheck = optionsCheck<FitOptions<never, never>>('fit', {
  epochs: NUMBER,
  batchSize: NUMBER,
  shuffle: BOOLEAN,
  shuffleBuffer: NUMBER,
  samplingCorrection: optionType(
    "true, false or 'streaming'",
    (value) => typeof value === 'boolean' || value === 'streaming',
  ),
  negatives: OBJECT,
  restoreBestWeights: BOOLEAN,
  seed: NUMBER,
  validation: OBJECT,
  onProgress: FUNCTION,
  clusterings: OBJECT,
  onCluster: FUNCTION,
  onStepEnd: FUNCTION,
  onEpochEnd: FUNCTION,
  earlyStopping: OBJECT,
  signal: SIGNAL,
  resume: objectWith('a checkpoint', 'arrays', 'optimizer', 'pointers'),
  clock: FUNCTION,
});
/** Refuses unknown options of `validation`, and values of a wrong type. */
export const checkValidation: OptionsCheck = optionsCheck<{ dataset: object } & EvaluateOptions>('fit.validation', {
  dataset: required(OBJECT),
  ...EVALUATE,
});

/** The options of a run with their defaults filled in. */
export type RunOptions<Q extends Features, C extends Features> = FitOptions<Q, C> &
  Required<Pick<FitOptions<Q, C>, 'epochs' | 'batchSize' | 'seed' | 'clock'>>;
