/**
 * Adam on distinct rows, with optional decoupled weight decay (AdamW).
 *
 *   m ← β1·m + (1−β1)·g;   v ← β2·v + (1−β2)·g²
 *   p ← p − learningRate · (m̂ / (√v̂ + epsilon) + weightDecay · p),   m̂ = m/(1−β1^t), v̂ = v/(1−β2^t)
 *
 * Source: Kingma and Ba, ICLR 2015; Loshchilov and Hutter, ICLR 2019. Rows that a step does not name keep their
 * parameters, moments and count of steps t, as in TensorFlow Addons' LazyAdam. Keras decays all moments at every step,
 * which would touch the whole table.
 */

import { checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Matrix } from '../vectors/matrix.ts';
import type { SparseOptimizer } from './contract.ts';
import { checkLearningRate, GRAIN_ROWS, RowNumbers } from './row-step.ts';

/** Options of Adam; the defaults are Keras's. */
export interface AdamOptions {
  learningRate?: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  /** A step subtracts this share of a parameter, times the learning rate; default 0. */
  weightDecay?: number;
}

const checkOptions = optionsCheck<AdamOptions>('Adam', {
  learningRate: NUMBER,
  beta1: NUMBER,
  beta2: NUMBER,
  epsilon: NUMBER,
  weightDecay: NUMBER,
});

/** Adam. It keeps two moments per parameter and two powers per row. */
export class Adam implements SparseOptimizer {
  readonly name = 'adam';
  learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly #states = new Map<Matrix, Matrix>();
  readonly #rows = new RowNumbers();

  /** @throws {OptionError} when an option is unknown or out of range */
  constructor(options: AdamOptions = {}) {
    const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 } = checkOptions(options);
    this.learningRate = checkLearningRate(learningRate);
    // For a larger β, 1 − β has too few significant bits in float32.
    this.beta1 = checkNumber('beta1', beta1, 0, 0.999999);
    this.beta2 = checkNumber('beta2', beta2, 0, 0.999999);
    this.epsilon = checkNumber('epsilon', epsilon, 0);
    this.weightDecay = checkNumber('weightDecay', weightDecay, 0);
  }

  step(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    const { runtime, dimensions } = parameters;
    modelPool(runtime).run('adamRows', rows.length, GRAIN_ROWS, {
      parameters: parameters.offset,
      state: this.state(parameters).offset,
      rows: this.#rows.write(rows, runtime),
      gradients: gradients.offset,
      stride: gradients.dimensions,
      d: dimensions,
      rate: this.learningRate,
      beta1: this.beta1,
      beta2: this.beta2,
      epsilon: this.epsilon,
      decay: this.weightDecay,
    });
  }

  /** The state [rows, 2d + 2]: m, v, β1^t and β2^t of each row. It is made at the first use. */
  state(parameters: Matrix): Matrix {
    let state = this.#states.get(parameters);
    if (!state) {
      state = new Matrix(parameters.rows, 2 * parameters.dimensions + 2, parameters.runtime);
      this.#states.set(parameters, state);
      this.resetState(parameters);
    }
    return state;
  }

  /** Reset rows [from, to) to zero moments and zero steps. */
  resetState(parameters: Matrix, from = 0, to: number = parameters.rows): void {
    const state = this.state(parameters);
    const { data, dimensions } = state;
    data.fill(0, from * dimensions, to * dimensions);
    for (let row = from; row < to; row++) data.fill(1, (row + 1) * dimensions - 2, (row + 1) * dimensions);
  }

  stateBytes(): number {
    let bytes = 0;
    for (const { rows, dimensions } of this.#states.values()) bytes += 4 * rows * dimensions;
    return bytes;
  }
}
