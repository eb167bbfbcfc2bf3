/**
 * Adagrad on distinct rows, with Keras's semantics.
 *
 *   a ← a + g²;   p ← p − learningRate · g / √(a + epsilon)
 *
 * Source: Duchi, Hazan, Singer, JMLR 2011, in the form of Keras 3 (epsilon under the root; Keras ≤ 2.10 adds it after,
 * a difference of 1e-7). Rows that a step does not name keep both p and a.
 */

import { checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Matrix } from '../vectors/matrix.ts';
import type { SparseOptimizer } from './contract.ts';
import { checkLearningRate, GRAIN_ROWS, RowNumbers } from './row-step.ts';

/** Options of Adagrad; the defaults are Keras's, but for the learning rate, which is the tutorial's. */
export interface AdagradOptions {
  learningRate?: number;
  initialAccumulatorValue?: number;
  epsilon?: number;
}

const checkOptions = optionsCheck<AdagradOptions>('Adagrad', {
  learningRate: NUMBER,
  initialAccumulatorValue: NUMBER,
  epsilon: NUMBER,
});

/** Adagrad. It keeps one accumulator per parameter. */
export class Adagrad implements SparseOptimizer {
  readonly name = 'adagrad';
  learningRate: number;
  readonly initialAccumulatorValue: number;
  readonly epsilon: number;
  readonly #accumulators = new Map<Matrix, Matrix>();
  readonly #rows = new RowNumbers();

  /** @throws {OptionError} when an option is unknown or out of range */
  constructor(options: AdagradOptions = {}) {
    const { learningRate = 0.1, initialAccumulatorValue = 0.1, epsilon = 1e-7 } = checkOptions(options);
    this.learningRate = checkLearningRate(learningRate);
    this.initialAccumulatorValue = checkNumber('initialAccumulatorValue', initialAccumulatorValue, 0);
    this.epsilon = checkNumber('epsilon', epsilon, 0);
  }

  step(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    const { runtime, dimensions } = parameters;
    modelPool(runtime).run(
      'adagradRows',
      rows.length,
      GRAIN_ROWS,
      parameters.offset,
      this.state(parameters).offset,
      this.#rows.write(rows, runtime),
      gradients.offset,
      gradients.dimensions,
      dimensions,
      this.learningRate,
      this.epsilon,
    );
  }

  /** The accumulator of a parameter matrix; made at its initial value where there is none. */
  state(parameters: Matrix): Matrix {
    let accumulator = this.#accumulators.get(parameters);
    if (!accumulator) {
      accumulator = new Matrix(parameters.rows, parameters.dimensions, parameters.runtime);
      accumulator.data.fill(this.initialAccumulatorValue);
      this.#accumulators.set(parameters, accumulator);
    }
    return accumulator;
  }

  /**
   * Give rows [from, to) the same state, the mean of their states, after a clustering has given the rows another
   * meaning. With the initial value, steps would be as large as at the start of the training and undo what the other
   * tower has learned.
   */
  resetState(parameters: Matrix, from = 0, to: number = parameters.rows): void {
    const { dimensions } = parameters;
    const rows = this.state(parameters).data.subarray(from * dimensions, to * dimensions);
    rows.fill(rows.reduce((sum, value) => sum + value, 0) / rows.length);
  }

  stateBytes(): number {
    let bytes = 0;
    for (const { rows, dimensions } of this.#accumulators.values()) bytes += 4 * rows * dimensions;
    return bytes;
  }
}
