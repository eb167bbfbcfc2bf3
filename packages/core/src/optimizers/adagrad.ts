/**
 * Adagrad on distinct rows, with Keras's semantics, and row-wise Adagrad, which has one accumulator for each row.
 *
 *   Adagrad            a ← a + g²;          p ← p − learningRate · g / √(a + epsilon)
 *   row-wise Adagrad   a ← a + mean(g²);    p ← p − learningRate · g / (√a + epsilon)
 *
 * Sources: Duchi, Hazan, Singer, JMLR 2011, in the form of Keras 3 (epsilon under the root; Keras ≤ 2.10 adds it after,
 * a difference of 1e-7); FBGEMM's EXACT_ROWWISE_ADAGRAD, the optimizer of TorchRec's and DLRM's tables, whose state of a
 * table of width d is d times smaller. Rows that a step does not name keep both p and a.
 */

import { checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Matrix } from '../vectors/matrix.ts';
import { checkRange } from './check-step.ts';
import { GRAIN_ROWS } from './row-numbers.ts';
import { ROW_OPTIMIZER, RowOptimizer, type RowOptimizerOptions } from './row-optimizer.ts';
import { meanState } from './row-states.ts';

/** The tutorial's learning rate, for both kinds. */
const LEARNING_RATE = 0.1;
/** The least epsilon of row-wise Adagrad: a row whose gradient is 0 from the start would be divided by 0. */
const ROW_WISE_EPSILON_MIN = 1e-30;

/** Options of Adagrad; the defaults are Keras's, but for the learning rate of 0.1, which is the tutorial's. */
export interface AdagradOptions extends RowOptimizerOptions {
  initialAccumulatorValue?: number;
  epsilon?: number;
}

/** Options of row-wise Adagrad; the defaults are FBGEMM's, but for the learning rate of 0.1, which is Adagrad's here. */
export interface RowWiseAdagradOptions extends AdagradOptions {}

const OPTIONS = { ...ROW_OPTIMIZER, initialAccumulatorValue: NUMBER, epsilon: NUMBER };
const checkOptions = optionsCheck<AdagradOptions>('Adagrad', OPTIONS);
const checkRowWiseOptions = optionsCheck<RowWiseAdagradOptions>('RowWiseAdagrad', OPTIONS);

/** The differences between the kinds. */
interface Kind {
  readonly kernel: 'adagradRows' | 'rowWiseAdagradRows';
  /** False for one accumulator per parameter. */
  readonly isRowWise: boolean;
  readonly initialAccumulatorValue: number;
  readonly epsilon: number;
  readonly epsilonMin: number;
}

/** The accumulators, and the step through a kernel. */
abstract class Accumulating extends RowOptimizer {
  readonly initialAccumulatorValue: number;
  readonly epsilon: number;
  readonly #kind: Kind;

  protected constructor(options: AdagradOptions, kind: Kind) {
    super(options, LEARNING_RATE);
    const { initialAccumulatorValue = kind.initialAccumulatorValue, epsilon = kind.epsilon } = options;
    this.initialAccumulatorValue = checkNumber('initialAccumulatorValue', initialAccumulatorValue, 0);
    this.epsilon = checkNumber('epsilon', epsilon, kind.epsilonMin);
    this.#kind = kind;
  }

  protected update(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    const { runtime, dimensions } = parameters;
    modelPool(runtime).run(
      this.#kind.kernel,
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
    const accumulators = new Matrix(rows, this.#kind.isRowWise ? 1 : dimensions, runtime);
    accumulators.data.fill(this.initialAccumulatorValue);
    return accumulators;
  }

  /** The accumulators of a parameter matrix, [rows, d] or [rows, 1]; made at their initial value where there are none. */
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

/** Adagrad. It keeps one accumulator per parameter. */
export class Adagrad extends Accumulating {
  readonly name = 'adagrad';

  /** @throws {OptionError} when an option is unknown or out of range */
  constructor(options: AdagradOptions = {}) {
    super(checkOptions(options), {
      kernel: 'adagradRows',
      isRowWise: false,
      initialAccumulatorValue: 0.1,
      epsilon: 1e-7,
      epsilonMin: 0,
    });
  }
}

/** Row-wise Adagrad. It keeps one accumulator per row. */
export class RowWiseAdagrad extends Accumulating {
  readonly name = 'row-wise-adagrad';

  /** @throws {OptionError} when an option is unknown or out of range */
  constructor(options: RowWiseAdagradOptions = {}) {
    super(checkRowWiseOptions(options), {
      kernel: 'rowWiseAdagradRows',
      isRowWise: true,
      initialAccumulatorValue: 0,
      epsilon: 1e-8,
      epsilonMin: ROW_WISE_EPSILON_MIN,
    });
  }
}
