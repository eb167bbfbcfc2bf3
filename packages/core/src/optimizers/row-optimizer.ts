/**
 * The base class of the optimizers: the learning rate and its schedule, gradient clipping, decoupled weight decay, and one state
 * per parameter matrix. A kind of optimizer adds its rule for rows.
 *
 * The order is Keras's: clip the gradients, decay the parameters, p −= learningRate · weightDecay · p, then step them.
 * Source of the decay: Loshchilov and Hutter, ICLR 2019. It reaches the rows that a step names.
 */
import { checkArgument } from '../checks/arguments.ts';
import { checkNumber } from '../checks/numbers.ts';
import { NUMBER, type OptionType, type OptionTypes, optionType } from '../checks/options.ts';
import { StateError } from '../errors/errors.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { MATRIX, type Matrix } from '../vectors/matrix.ts';
import { checkStep } from './check-step.ts';
import type { SparseOptimizer } from './contract.ts';
import { type ClippingOptions, checkClipping, clipped, clippingFactor, squareSum } from './gradient-clipping.ts';
import { checkLearningRate, type LearningRate, learningRateAt } from './learning-rate.ts';
import { GRAIN_ROWS, RowNumbers } from './row-numbers.ts';

/** Options that every optimizer has. */
export interface RowOptimizerOptions extends ClippingOptions {
  /** A number, or a schedule. */
  learningRate?: LearningRate;
  /** Before a step, a parameter loses this share of itself, times the learning rate; default 0. */
  weightDecay?: number;
}

const LEARNING_RATE: OptionType = optionType(
  'a number or a schedule',
  (value) => typeof value === 'number' || (typeof value === 'object' && value !== null),
);

/** The types of the options that every optimizer has. */
export const ROW_OPTIMIZER: OptionTypes<RowOptimizerOptions> = {
  learningRate: LEARNING_RATE,
  weightDecay: NUMBER,
  clipNorm: NUMBER,
  globalClipNorm: NUMBER,
  clipValue: NUMBER,
};

/** A gradient that waits for the global norm. */
interface WaitingGradient {
  readonly parameters: Matrix;
  readonly rows: Int32Array;
  readonly gradients: Matrix;
}

/** An optimizer that steps rows one by one. */
export abstract class RowOptimizer implements SparseOptimizer {
  abstract readonly name: string;
  /** The rate of the next step. A schedule sets it at the beginning of each step. */
  learningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number | undefined;
  readonly globalClipNorm: number | undefined;
  readonly clipValue: number | undefined;
  readonly #rowNumbers = new RowNumbers();
  readonly #rate: LearningRate;
  readonly #states = new Map<Matrix, Matrix>();
  /** Gradients of the step that was begun; undefined between steps. */
  #waiting: WaitingGradient[] | undefined;

  /** @throws {OptionError} when an option is out of range */
  protected constructor(options: RowOptimizerOptions, defaultRate: number) {
    const { learningRate = defaultRate, weightDecay = 0, clipNorm, globalClipNorm, clipValue } = options;
    this.#rate = checkLearningRate(learningRate);
    this.learningRate = learningRateAt(learningRate, 0);
    this.weightDecay = checkNumber('weightDecay', weightDecay, 0);
    checkClipping(options);
    this.clipNorm = clipNorm;
    this.globalClipNorm = globalClipNorm;
    this.clipValue = clipValue;
  }

  /** The rule: step the named rows. The gradients have at least the width of the parameters. */
  protected abstract update(parameters: Matrix, rows: Int32Array, gradients: Matrix): void;

  /** The byte offset of a copy of row numbers for a kernel, valid until the next call. */
  protected writeRows(rows: Int32Array, runtime: Runtime): number {
    return this.#rowNumbers.write(rows, runtime);
  }

  /** A new state of a parameter matrix; undefined where the rule needs none. */
  protected abstract newState(parameters: Matrix): Matrix | undefined;

  abstract resetState(parameters: Matrix, from?: number, to?: number): void;

  /** The rows that weight decay reaches; those that the step names, unless a rule changes others, too. */
  protected decayedRows(_parameters: Matrix, rows: Int32Array): Int32Array {
    return rows;
  }

  beginStep(step: number): void {
    if (typeof this.#rate === 'object') this.learningRate = learningRateAt(this.#rate, step);
    if (this.globalClipNorm !== undefined) this.#waiting = [];
  }

  /** Step by the gradients that wait for their global norm. @throws {NotFiniteError} when the norm is not finite */
  endStep(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!waiting) return;
    try {
      const square = waiting.reduce((sum, { gradients }) => sum + squareSum(gradients, gradients.dimensions), 0);
      const factor = clippingFactor('globalClipNorm', Math.sqrt(square), this.globalClipNorm!);
      for (const { parameters, rows, gradients } of waiting) {
        if (factor === 1) this.#apply(parameters, rows, gradients);
        else this.#applyClipped(parameters, rows, clipped(gradients, gradients.dimensions, factor));
      }
    } finally {
      for (const { gradients } of waiting) gradients.free();
    }
  }

  /**
   * @throws {StateError} when gradients are clipped by their global norm and no step was begun
   * @throws {NotFiniteError} when gradients are clipped by their norm and it is not finite
   */
  step(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    checkStep(parameters, rows, gradients);
    if (rows.length === 0) return;
    const { dimensions } = parameters;
    const { clipNorm, globalClipNorm, clipValue } = this;
    if (globalClipNorm !== undefined) {
      if (!this.#waiting) {
        throw new StateError('globalClipNorm: expected step between beginStep and endStep, got one outside of them');
      }
      // The caller frees or reuses both.
      this.#waiting.push({ parameters, rows: rows.slice(), gradients: clipped(gradients, dimensions, 1) });
    } else if (clipNorm !== undefined) {
      const factor = clippingFactor('clipNorm', Math.sqrt(squareSum(gradients, dimensions)), clipNorm);
      if (factor === 1) this.#apply(parameters, rows, gradients);
      else this.#applyClipped(parameters, rows, clipped(gradients, dimensions, factor));
    } else if (clipValue !== undefined) {
      this.#applyClipped(parameters, rows, clipped(gradients, dimensions, 1, clipValue));
    } else this.#apply(parameters, rows, gradients);
  }

  /** The state of a parameter matrix; made at its initial value where there is none. */
  state(parameters: Matrix): Matrix | undefined {
    const known = this.#states.get(checkArgument('parameters', parameters, MATRIX));
    if (known) return known;
    const state = this.newState(parameters);
    if (!state) return undefined;
    this.#states.set(parameters, state);
    return state;
  }

  stateBytes(): number {
    let bytes = 0;
    for (const { rows, dimensions } of this.#states.values()) bytes += 4 * rows * dimensions;
    return bytes;
  }

  #applyClipped(parameters: Matrix, rows: Int32Array, own: Matrix): void {
    this.#apply(parameters, rows, own);
    own.free();
  }

  #apply(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    if (this.weightDecay > 0) this.#decay(parameters, this.decayedRows(parameters, rows));
    this.update(parameters, rows, gradients);
  }

  #decay({ offset, dimensions, runtime }: Matrix, rows: Int32Array): void {
    const at = this.writeRows(rows, runtime);
    const share = this.weightDecay * this.learningRate;
    modelPool(runtime).run('decayRows', rows.length, GRAIN_ROWS, offset, at, dimensions, share);
  }
}
