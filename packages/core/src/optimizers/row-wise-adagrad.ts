/**
 * Row-wise Adagrad: Adagrad with one accumulator for each row of a table.
 *
 *   a ← a + mean(g²);   p ← p − learningRate · g / (√a + epsilon)
 *
 * Source: FBGEMM's EXACT_ROWWISE_ADAGRAD, the optimizer of TorchRec's and DLRM's tables. The state of a table of width d is
 * d times smaller than that of Adagrad. Rows that a step does not name keep both p and a.
 */

import { checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Matrix } from '../vectors/matrix.ts';
import { checkRange } from './check-step.ts';
import { GRAIN_ROWS } from './row-numbers.ts';
import { ROW_OPTIMIZER, RowOptimizer, type RowOptimizerOptions } from './row-optimizer.ts';
import { meanState } from './row-states.ts';

/** The least epsilon, a number that float32 can represent. */
const EPSILON_MIN = 1e-30;

/** Options of row-wise Adagrad; the defaults are FBGEMM's, but for the learning rate of 0.1, which is Adagrad's here. */
export interface RowWiseAdagradOptions extends RowOptimizerOptions {
  initialAccumulatorValue?: number;
  epsilon?: number;
}

const checkOptions = optionsCheck<RowWiseAdagradOptions>('RowWiseAdagrad', {
  ...ROW_OPTIMIZER,
  initialAccumulatorValue: NUMBER,
  epsilon: NUMBER,
});

/** Row-wise Adagrad. It keeps one accumulator per row. */
export class RowWiseAdagrad extends RowOptimizer {
  readonly name = 'row-wise-adagrad';
  readonly initialAccumulatorValue: number;
  readonly epsilon: number;

  /** @throws {OptionError} when an option is unknown or out of range */
  constructor(options: RowWiseAdagradOptions = {}) {
    const { initialAccumulatorValue = 0, epsilon = 1e-8 } = checkOptions(options);
    super(options, 0.1);
    this.initialAccumulatorValue = checkNumber('initialAccumulatorValue', initialAccumulatorValue, 0);
    // A row whose gradient is 0 from the start would be divided by 0.
    this.epsilon = checkNumber('epsilon', epsilon, EPSILON_MIN);
  }

  protected update(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    const { runtime, dimensions } = parameters;
    modelPool(runtime).run(
      'rowWiseAdagradRows',
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

  protected newState({ rows, runtime }: Matrix): Matrix {
    const accumulators = new Matrix(rows, 1, runtime);
    accumulators.data.fill(this.initialAccumulatorValue);
    return accumulators;
  }

  /** The accumulators [rows, 1] of a parameter matrix; made at their initial value where there are none. */
  override state(parameters: Matrix): Matrix {
    return super.state(parameters)!;
  }

  /** Give rows [from, to) the mean of their accumulators, for the reason that `Adagrad.resetState` gives. */
  resetState(parameters: Matrix, from = 0, to?: number): void {
    meanState(this.state(parameters), from, checkRange(parameters, from, to));
  }
}
