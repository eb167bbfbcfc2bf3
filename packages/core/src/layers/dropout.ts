/**
 * Dropout: while training, each number is 0 with probability `rate`, and the others are divided by 1 − rate; while
 * evaluating and serving, y = x.
 *
 * Source: Srivastava et al., JMLR 2014, in the inverted form of Keras. The numbers drawn depend on the seed, the training
 * step and the place of the element only, so the bits are the same on any number of threads and in a resumed run.
 */

import { checkInteger, shown } from '../checks/numbers.ts';
import { OptionError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import type { Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Matrix } from '../vectors/matrix.ts';
import { unfilledMatrix } from '../vectors/unfilled.ts';
import { checkBackward, checkForward } from './check-passes.ts';
import { GRAIN_ROWS, type Layer, withRows } from './contract.ts';

/** Dropout. It has no weights. */
export class Dropout implements Layer {
  readonly kind = 'dropout';
  readonly inputs: number;
  readonly outputs: number;
  readonly rate: number;
  readonly seed: number;
  readonly runtime: Runtime;
  #step: number | undefined;
  /** Rows of the last `forward`. */
  #rows: number | undefined;
  #y: Matrix | undefined;

  /** @throws {OptionError} when the rate is not in [0, 1) */
  constructor(inputs: number, rate: number, seed: number, runtime: Runtime) {
    if (!(typeof rate === 'number' && rate >= 0 && rate < 1)) {
      throw new OptionError(`rate: expected a number from 0 to below 1, got ${shown(rate)}`);
    }
    this.inputs = inputs;
    this.outputs = inputs;
    this.rate = rate;
    this.seed = seed;
    this.runtime = runtime;
  }

  save(): Saved {
    const { inputs, rate, seed } = this;
    return { kind: 'dropout', settings: { inputs, rate, seed }, sections: [] };
  }

  /** Load a saved layer. @throws {FormatError} when a setting is out of range */
  static load({ settings, runtime }: Part): Dropout {
    const inputs = settings.integer('inputs', { min: 1 });
    const rate = settings.number('rate', { min: 0, max: 1 - Number.EPSILON });
    return new Dropout(inputs, rate, settings.integer('seed', { max: 2 ** 32 - 1 }), runtime);
  }

  parameters(): Matrix[] {
    return [];
  }

  forward(x: Matrix, trainingStep?: number): Matrix {
    checkForward(this, x);
    this.#rows = x.rows;
    this.#step = trainingStep === undefined ? undefined : checkInteger('trainingStep', trainingStep, 0);
    if (trainingStep === undefined) return x;
    this.#y = withRows(this.#y, x.rows, () => unfilledMatrix(x.rows, x.dimensions, this.runtime));
    this.#drop(x, trainingStep, this.#y);
    return this.#y;
  }

  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix {
    checkBackward(this, dy, optimizer, this.#rows);
    const dx = unfilledMatrix(dy.rows, dy.dimensions, this.runtime);
    if (this.#step === undefined) dx.data.set(dy.data);
    else this.#drop(dy, this.#step, dx);
    return dx;
  }

  #drop(from: Matrix, step: number, to: Matrix): void {
    const threshold = Math.round(this.rate * 2 ** 32);
    const scale = 1 / (1 - this.rate);
    const { rows, dimensions, offset } = from;
    const drawn = [threshold, scale, this.seed, step] as const;
    modelPool(this.runtime).run('dropRows', rows, GRAIN_ROWS, offset, dimensions, ...drawn, to.offset);
  }
}
