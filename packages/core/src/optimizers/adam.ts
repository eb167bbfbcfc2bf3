/**
 * Adam, in Keras's form.
 *
 *   m ← m + (g − m)·(1−β1);   v ← v + (g² − v)·(1−β2)
 *   p ← p − m · α / (√v + epsilon),   α = learningRate · √(1−β2^t) / (1−β1^t)
 *
 * Source: Kingma and Ba, ICLR 2015, the efficient form at the end of section 2. Epsilon is added to √v, not to
 * √(v / (1−β2^t)); docs/decisions/adam-as-keras.md says why. `Adam` moves all rows of a matrix at each step, as Keras
 * does. `LazyAdam` moves the rows that a step names: the others keep their parameters, moments and count of steps t, as
 * in TensorFlow Addons' LazyAdam. For a table of many rows that is much less work.
 */

import { checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Matrix } from '../vectors/matrix.ts';
import { checkRange } from './check-step.ts';
import { GRAIN_ROWS } from './row-numbers.ts';
import { ROW_OPTIMIZER, RowOptimizer, type RowOptimizerOptions } from './row-optimizer.ts';

/** Options of Adam and LazyAdam; the defaults are Keras's: a learning rate of 0.001. */
export interface AdamOptions extends RowOptimizerOptions {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

const OPTIONS = { ...ROW_OPTIMIZER, beta1: NUMBER, beta2: NUMBER, epsilon: NUMBER };
const checkOptions = optionsCheck<AdamOptions>('Adam', OPTIONS);
const checkLazyOptions = optionsCheck<AdamOptions>('LazyAdam', OPTIONS);

/** The values of a step that do not depend on the kind of Adam. */
abstract class Moments extends RowOptimizer {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;

  protected constructor(options: AdamOptions) {
    super(options, 0.001);
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = options;
    // For a larger β, 1 − β has too few significant bits in float32.
    this.beta1 = checkNumber('beta1', beta1, 0, 0.999999);
    this.beta2 = checkNumber('beta2', beta2, 0, 0.999999);
    this.epsilon = checkNumber('epsilon', epsilon, 0);
  }

  /** Run the kernel on `items` rows; `rows` and `all` are explained there. */
  protected run(parameters: Matrix, rows: Int32Array, gradients: Matrix, all: boolean): void {
    const { runtime, dimensions } = parameters;
    const zeros = new Matrix(1, dimensions, runtime);
    modelPool(runtime).run('adamRows', rows.length, GRAIN_ROWS, {
      parameters: parameters.offset,
      state: this.state(parameters).offset,
      rows: this.writeRows(rows, runtime),
      gradients: gradients.offset,
      stride: gradients.dimensions,
      d: dimensions,
      rate: this.learningRate,
      beta1: this.beta1,
      beta2: this.beta2,
      epsilon: this.epsilon,
      take1: 1 - this.beta1,
      take2: 1 - this.beta2,
      all: all ? 1 : 0,
      zeros: zeros.offset,
    });
    zeros.free();
  }

  protected newState({ rows, dimensions, runtime }: Matrix): Matrix {
    const state = new Matrix(rows, 2 * dimensions + 2, runtime);
    startAgain(state, 0, rows);
    return state;
  }

  /** The state [rows, 2d + 2]: m, v, β1^t and β2^t of each row. It is made at the first use. */
  override state(parameters: Matrix): Matrix {
    return super.state(parameters)!;
  }

  /** Reset rows [from, to) to zero moments and zero steps. */
  resetState(parameters: Matrix, from = 0, to?: number): void {
    startAgain(this.state(parameters), from, checkRange(parameters, from, to));
  }
}

/** Adam on all rows at each step. It keeps two moments per parameter and two powers per row. */
export class Adam extends Moments {
  readonly name = 'adam';

  /** @throws {OptionError} when an option is unknown or out of range */
  constructor(options: AdamOptions = {}) {
    super(checkOptions(options));
  }

  protected update(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    if (rows.length === parameters.rows) {
      this.run(parameters, rows, gradients, false);
      return;
    }
    const gradientOf = new Int32Array(parameters.rows).fill(-1);
    rows.forEach((row, i) => {
      gradientOf[row] = i;
    });
    this.run(parameters, gradientOf, gradients, true);
  }

  protected override decayedRows(parameters: Matrix, rows: Int32Array): Int32Array {
    return rows.length === parameters.rows ? rows : Int32Array.from({ length: parameters.rows }, (_, row) => row);
  }
}

/** Adam on the rows that a step names. It keeps two moments per parameter and two powers per row. */
export class LazyAdam extends Moments {
  readonly name = 'lazy-adam';

  /** @throws {OptionError} when an option is unknown or out of range */
  constructor(options: AdamOptions = {}) {
    super(checkLazyOptions(options));
  }

  protected update(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    this.run(parameters, rows, gradients, false);
  }
}

function startAgain({ data, dimensions }: Matrix, from: number, to: number): void {
  data.fill(0, from * dimensions, to * dimensions);
  for (let row = from; row < to; row++) data.fill(1, (row + 1) * dimensions - 2, (row + 1) * dimensions);
}
