/**
 * Layer normalization: each row is brought to mean 0 and variance 1, then scaled and shifted by learned weights.
 *
 *   y = γ ⊙ (x − mean) / √(variance + epsilon) + β
 *
 * Source: Ba, Kiros, Hinton, "Layer Normalization", arXiv 1607.06450; the gradient is in assembly/layer-norm.ts. γ begins
 * as 1, β as 0.
 */

import { checkInteger, checkNumber } from '../checks/numbers.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { unfilledMatrix } from '../vectors/unfilled.ts';
import { checkBackward, checkForward } from './check-passes.ts';
import { GRAIN_ROWS, type Layer, padded, withRows } from './contract.ts';

/** Keras's default: far below any variance that matters, large enough for a row of equal numbers. */
export const LAYER_NORM_EPSILON = 1e-3;
/** Groups of 4 columns that a thread claims at a time when columns are summed: one cache line. */
const GRAIN_COLUMNS = 4;
const ROWS = Int32Array.of(0, 1);

/** Layer normalization with its weights. */
export class LayerNorm implements Layer {
  readonly kind = 'layerNorm';
  readonly inputs: number;
  readonly outputs: number;
  readonly epsilon: number;
  /** γ and β, [2, padded(inputs)]. */
  readonly weights: Matrix;
  readonly runtime: Runtime;
  #x: Matrix | undefined;
  #y: Matrix | undefined;
  #statistics: Matrix | undefined;

  constructor(inputs: number, epsilon: number, weights: Matrix) {
    this.inputs = inputs;
    this.outputs = inputs;
    this.epsilon = epsilon;
    this.weights = weights;
    this.runtime = weights.runtime;
  }

  /** A new layer. @throws {OptionError} when epsilon is negative */
  static create(inputs: number, epsilon: number, runtime: Runtime): LayerNorm {
    checkInteger('inputs', inputs, 1);
    checkNumber('epsilon', epsilon, 0);
    const weights = new Matrix(2, padded(inputs), runtime);
    weights.row(0).fill(1, 0, inputs);
    return new LayerNorm(inputs, epsilon, weights);
  }

  save(): Saved {
    const { inputs, epsilon, weights } = this;
    return {
      kind: 'layerNorm',
      settings: { inputs, epsilon },
      sections: [{ name: 'weights', bytes: bytesOf(weights.data) }],
    };
  }

  /** Load a saved layer. @throws {FormatError} when settings and sections do not fit together */
  static load(part: Part): LayerNorm {
    const inputs = part.settings.integer('inputs', { min: 1 });
    const epsilon = part.settings.number('epsilon', { min: 0 });
    const block = part.memory('weights', 8 * padded(inputs));
    return new LayerNorm(inputs, epsilon, new Matrix(2, padded(inputs), part.runtime, block));
  }

  parameters(): Matrix[] {
    return [this.weights];
  }

  forward(x: Matrix): Matrix {
    checkForward(this, x);
    const { weights, inputs, epsilon } = this;
    const runtime = this.runtime;
    const { rows } = x;
    this.#y = withRows(this.#y, rows, () => unfilledMatrix(rows, weights.dimensions, runtime));
    this.#statistics = withRows(this.#statistics, rows, () => unfilledMatrix(rows, 2, runtime));
    const [y, statistics] = [this.#y.offset, this.#statistics.offset];
    const from = [x.offset, x.dimensions, inputs, weights.offset] as const;
    modelPool(runtime).run('layerNormRows', rows, GRAIN_ROWS, ...from, epsilon, y, statistics);
    this.#x = x;
    return this.#y;
  }

  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix {
    checkBackward(this, dy, optimizer, this.#x?.rows);
    const { weights, inputs } = this;
    const runtime = this.runtime;
    const pool = modelPool(runtime);
    const { rows } = dy;
    const stride = weights.dimensions;
    // The kernels write every column, the padding too.
    const [dx, products] = [unfilledMatrix(rows, stride, runtime), unfilledMatrix(rows, stride, runtime)];
    const gradients = unfilledMatrix(2, stride, runtime);
    pool.run('layerNormGradient', rows, GRAIN_ROWS, {
      ...{ dy: dy.offset, dyStride: dy.dimensions, x: this.#x!.offset, stride, d: inputs, weights: weights.offset },
      ...{ statistics: this.#statistics!.offset, dx: dx.offset, products: products.offset },
    });
    const groups = stride / 4;
    pool.run('sumColumns', groups, GRAIN_COLUMNS, products.offset, stride, rows, gradients.offset);
    pool.run('sumColumns', groups, GRAIN_COLUMNS, dy.offset, dy.dimensions, rows, gradients.offset + 4 * stride);
    optimizer.step(weights, ROWS, gradients);
    products.free();
    gradients.free();
    return dx;
  }
}
