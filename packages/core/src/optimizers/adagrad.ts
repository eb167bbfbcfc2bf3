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
import { checkRange } from './check-step.ts';
import { GRAIN_ROWS } from './row-numbers.ts';
import { ROW_OPTIMIZER, RowOptimizer, type RowOptimizerOptions } from './row-optimizer.ts';
import { meanState } from './row-states.ts';

/** Options of Adagrad; the defaults are Keras's, but for the learning rate of 0.1, which is the tutorial's. */
export interface AdagradOptions extends RowOptimizerOptions {
  initialAccumulatorValue?: number;
  epsilon?: number;
}

const checkOptions = optionsCheck<AdagradOptions>('Adagrad', {
  ...ROW_OPTIMIZER,
  initialAccumulatorValue: NUMBER,
  epsilon: NUMBER,
});

/** Adagrad. It keeps one accumulator per parameter. */
export class Adagrad extends RowOptimizer {
  readonly name = 'adagrad';
  readonly initialAccumulatorValue: number;
  readonly epsilon: number;

  /** @throws {OptionError} when an option is unknown or out of range */
  constructor(options: AdagradOptions = {}) {
    const { initialAccumulatorValue = 0.1, epsilon = 1e-7 } = checkOptions(options);
    super(options, 0.1);
    this.initialAccumulatorValue = checkNumber('initialAccumulatorValue', initialAccumulatorValue, 0);
    this.epsilon = checkNumber('epsilon', epsilon, 0);
  }

  protected update(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    const { runtime, dimensions } = parameters;
    modelPool(runtime).run(
      'adagradRows',
      rows.length,
      GRAIN_ROWS,
      parameters.offset,
      this.state(parameters).offset,
      this.writeRows(rows, runtime),
      gradients.offset,
      gradients.dimensions,
      dimensions,
      this.learningRate,
      this.epsilon,
    );
  }

  protected newState({ rows, dimensions, runtime }: Matrix): Matrix {
    const accumulators = new Matrix(rows, dimensions, runtime);
    accumulators.data.fill(this.initialAccumulatorValue);
    return accumulators;
  }

  /** The accumulators of a parameter matrix; made at their initial value where there are none. */
  override state(parameters: Matrix): Matrix {
    return super.state(parameters)!;
  }

  /**
   * Give rows [from, to) the same state, the mean of their states, after a clustering has given the rows another
   * meaning. With the initial value, steps would be as large as at the start of the training and undo what the other
   * tower has learned.
   */
  resetState(parameters: Matrix, from = 0, to?: number): void {
    meanState(this.state(parameters), from, checkRange(parameters, from, to));
  }
}
