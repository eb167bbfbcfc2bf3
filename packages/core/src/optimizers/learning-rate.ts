/**
 * Learning rates that depend on the training step: constant, exponential and cosine decay, each with an optional warm-up.
 *
 *   exponential-decay: rate = initial · decayRate^(t / decaySteps)
 *   cosine-decay:      rate = initial · ((1 − alpha) · (1 + cos(π · min(t, decaySteps) / decaySteps)) / 2 + alpha)
 *
 * t is the step after the warm-up, in which the rate goes from `warmupLearningRate` to `initialLearningRate` in a line.
 * Source: Keras's ExponentialDecay and CosineDecay; Loshchilov and Hutter, "SGDR", ICLR 2017. Steps count from 0.
 */
import { checkInteger, checkNumber, checkOneOf, checkPositive } from '../checks/numbers.ts';
import { BOOLEAN, NUMBER, type OptionsCheck, optionsCheck, required, STRING } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';

/** The options of every schedule. */
export interface ScheduleOptions {
  /** The rate after the warm-up. */
  initialLearningRate: number;
  /** Steps of the warm-up; default 0. */
  warmupSteps?: number;
  /** The rate of step 0 of the warm-up; default 0. */
  warmupLearningRate?: number;
}

/** A learning rate that depends on the step, as plain JSON. */
export type LearningRateSchedule =
  | ({ schedule: 'constant' } & ScheduleOptions)
  | ({ schedule: 'exponential-decay'; decaySteps: number; decayRate: number; staircase?: boolean } & ScheduleOptions)
  | ({ schedule: 'cosine-decay'; decaySteps: number; alpha?: number } & ScheduleOptions);

/** A fixed learning rate, or a schedule. */
export type LearningRate = number | LearningRateSchedule;

const SCHEDULES = ['constant', 'exponential-decay', 'cosine-decay'] as const;
const COMMON = {
  schedule: required(STRING),
  initialLearningRate: required(NUMBER),
  warmupSteps: NUMBER,
  warmupLearningRate: NUMBER,
};
type Of<S extends LearningRateSchedule['schedule']> = Extract<LearningRateSchedule, { schedule: S }>;
const CHECKS: Record<LearningRateSchedule['schedule'], OptionsCheck> = {
  constant: optionsCheck<Of<'constant'>>('learningRate', COMMON),
  'exponential-decay': optionsCheck<Of<'exponential-decay'>>('learningRate', {
    ...COMMON,
    decaySteps: required(NUMBER),
    decayRate: required(NUMBER),
    staircase: BOOLEAN,
  }),
  'cosine-decay': optionsCheck<Of<'cosine-decay'>>('learningRate', {
    ...COMMON,
    decaySteps: required(NUMBER),
    alpha: NUMBER,
  }),
};

/**
 * Refuse a learning rate that is no number above 0, and a schedule with unknown or impossible options.
 *
 * @throws {OptionError} naming the option
 */
export function checkLearningRate(learningRate: LearningRate): LearningRate {
  if (typeof learningRate !== 'object' || learningRate === null) return checkPositive('learningRate', learningRate);
  const { schedule } = learningRate;
  checkOneOf('learningRate.schedule', schedule, SCHEDULES);
  CHECKS[schedule](learningRate);
  checkPositive('initialLearningRate', learningRate.initialLearningRate);
  checkInteger('warmupSteps', learningRate.warmupSteps ?? 0, 0);
  checkNumber('warmupLearningRate', learningRate.warmupLearningRate ?? 0, 0);
  if (learningRate.warmupLearningRate !== undefined && !learningRate.warmupSteps) {
    throw new OptionError('warmupLearningRate: expected warmupSteps of at least 1 beside it, got none');
  }
  if (learningRate.schedule === 'constant') return learningRate;
  checkInteger('decaySteps', learningRate.decaySteps, 1);
  if (learningRate.schedule === 'cosine-decay') checkNumber('alpha', learningRate.alpha ?? 0, 0, 1);
  else checkPositive('decayRate', learningRate.decayRate);
  return learningRate;
}

/**
 * The learning rate of a step, from 0.
 *
 * @throws {OptionError} when the rate or the schedule is none
 */
export function learningRateAt(learningRate: LearningRate, step: number): number {
  checkLearningRate(learningRate);
  checkInteger('step', step, 0);
  if (typeof learningRate === 'number') return learningRate;
  const { initialLearningRate: initial, warmupSteps = 0, warmupLearningRate = 0 } = learningRate;
  if (step < warmupSteps) return warmupLearningRate + ((initial - warmupLearningRate) * step) / warmupSteps;
  const t = step - warmupSteps;
  switch (learningRate.schedule) {
    case 'constant':
      return initial;
    case 'exponential-decay': {
      const { decaySteps, decayRate, staircase = false } = learningRate;
      return initial * decayRate ** (staircase ? Math.floor(t / decaySteps) : t / decaySteps);
    }
    case 'cosine-decay': {
      const { decaySteps, alpha = 0 } = learningRate;
      const share = (1 + Math.cos((Math.PI * Math.min(t, decaySteps)) / decaySteps)) / 2;
      return initial * ((1 - alpha) * share + alpha);
    }
  }
}
