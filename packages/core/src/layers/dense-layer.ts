/**
 * A dense layer, y = activation(x·W + b), forward and backward.
 *
 *   dz = dy ⊙ activation'(z);  dW = xᵀ·dz;  db = Σ rows dz;  dx = dz·Wᵀ
 *
 * Layout: every matrix has a row stride that is a multiple of 4 floats; padding columns of W and b are zero and stay so,
 * since their gradients are zero. Letters: n rows, m inputs, u units.
 */

import { checkInteger, checkOneOf } from '../checks/numbers.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import { ACTIVATION_NUMBERS } from '../kernels/families/layers.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { unfilledMatrix } from '../vectors/unfilled.ts';
import { checkBackward, checkForward } from './check-passes.ts';
import { GRAIN_ROWS, type Layer, padded, withRows } from './contract.ts';
import { multiplyRowsFused, multiplyTransposedFused } from './fused-multiply.ts';

/** Groups of 4 columns that a thread claims at a time when columns are summed: one cache line. */
const GRAIN_COLUMNS = 4;

/**
 * The function that is applied to z = x·W + b: z, max(0, z), tanh z, or z·Φ(z), where Φ is the distribution function of
 * the standard normal distribution.
 */
export type Activation = 'linear' | 'relu' | 'tanh' | 'gelu';
const ACTIVATIONS: readonly Activation[] = ['linear', 'relu', 'tanh', 'gelu'];

/**
 * The initial W: Glorot uniform, or ones on the diagonal and zeros elsewhere, so that the layer begins as a copy of its
 * first columns. Both as in Keras.
 */
export type Initializer = 'glorotUniform' | 'identity';
const INITIALIZERS: readonly Initializer[] = ['glorotUniform', 'identity'];

/** One layer with its weights. */
export class DenseLayer implements Layer {
  readonly kind = 'dense';
  readonly inputs: number;
  readonly units: number;
  readonly outputs: number;
  readonly activation: Activation;
  /** [inputs + 1, units], the last row is the bias; columns padded to a multiple of 4. */
  readonly weights: Matrix;
  readonly runtime: Runtime;
  readonly #rows: Int32Array;
  #x: Matrix | undefined;
  #z: Matrix | undefined;
  #y: Matrix | undefined;

  constructor(inputs: number, units: number, activation: Activation, weights: Matrix) {
    this.inputs = inputs;
    this.units = units;
    this.outputs = units;
    this.activation = activation;
    this.weights = weights;
    this.runtime = weights.runtime;
    this.#rows = Int32Array.from({ length: inputs + 1 }, (_, row) => row);
  }

  /**
   * A new layer with zero bias; by default with Glorot uniform weights, as Keras's Dense.
   *
   * @throws {OptionError} when a size is not a positive integer, or the activation or the initializer is unknown
   */
  static create(
    inputs: number,
    units: number,
    activation: Activation,
    seed: number,
    runtime: Runtime,
    initializer: Initializer = 'glorotUniform',
  ): DenseLayer {
    checkInteger('inputs', inputs, 1);
    checkInteger('units', units, 1);
    checkOneOf('activation', activation, ACTIVATIONS);
    checkOneOf('initializer', initializer, INITIALIZERS);
    const weights = new Matrix(inputs + 1, padded(units), runtime);
    if (initializer === 'identity') {
      for (let i = 0; i < Math.min(inputs, units); i++) weights.row(i)[i] = 1;
      return new DenseLayer(inputs, units, activation, weights);
    }
    const generator = new Generator(seed);
    const limit = Math.sqrt(6 / (inputs + units));
    for (let i = 0; i < inputs; i++) {
      const row = weights.row(i);
      for (let j = 0; j < units; j++) row[j] = limit * (2 * generator.uniform() - 1);
    }
    return new DenseLayer(inputs, units, activation, weights);
  }

  /** The sizes, the activation and the padded weights. */
  save(): Saved {
    const { inputs, units, activation, weights } = this;
    return {
      kind: 'dense',
      settings: { inputs, units, activation },
      sections: [{ name: 'weights', bytes: bytesOf(weights.data) }],
    };
  }

  /**
   * Load a saved layer.
   *
   * @throws {FormatError} when settings and sections do not fit together
   */
  static load(part: Part): DenseLayer {
    const inputs = part.settings.integer('inputs', { min: 1 });
    const units = part.settings.integer('units', { min: 1 });
    const activation = part.settings.oneOf('activation', ACTIVATIONS);
    const block = part.memory('weights', 4 * (inputs + 1) * padded(units));
    return new DenseLayer(inputs, units, activation, new Matrix(inputs + 1, padded(units), part.runtime, block));
  }

  parameters(): Matrix[] {
    return [this.weights];
  }

  forward(x: Matrix): Matrix {
    checkForward(this, x);
    const { weights } = this;
    const runtime = this.runtime;
    const stride = weights.dimensions;
    const make = (): Matrix => unfilledMatrix(x.rows, stride, runtime);
    this.#y = withRows(this.#y, x.rows, make);
    // The derivative of GELU needs z; the derivatives of the others are computed from y.
    this.#z = this.activation === 'gelu' ? withRows(this.#z, x.rows, make) : this.#y;
    multiplyRowsFused(runtime, {
      ...{ a: x.offset, aStride: x.dimensions, m: x.rows, n: this.inputs },
      ...{ b: weights.offset, d: stride, c: this.#z.offset },
    });
    const bias = weights.offset + 4 * this.inputs * stride;
    const activation = ACTIVATION_NUMBERS[this.activation];
    const [z, y] = [this.#z.offset, this.#y.offset];
    modelPool(runtime).run('activateRows', x.rows, GRAIN_ROWS, z, stride, bias, activation, y);
    this.#x = x;
    return this.#y;
  }

  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix {
    checkBackward(this, dy, optimizer, this.#x?.rows);
    const { dz, dw } = this.#gradients(dy);
    const dx = this.#inputGradient(dz, this.#x!.dimensions);
    optimizer.step(this.weights, this.#rows, dw);
    dz.free();
    dw.free();
    return dx;
  }

  backwardWeights(dy: Matrix, optimizer: SparseOptimizer): void {
    checkBackward(this, dy, optimizer, this.#x?.rows);
    const { dz, dw } = this.#gradients(dy);
    optimizer.step(this.weights, this.#rows, dw);
    dz.free();
    dw.free();
  }

  #gradients(dy: Matrix): { dz: Matrix; dw: Matrix } {
    const [x, kept] = [this.#x!, this.#z!];
    const { weights, inputs } = this;
    const runtime = this.runtime;
    const pool = modelPool(runtime);
    const { rows } = dy;
    const stride = weights.dimensions;
    const dz = unfilledMatrix(rows, stride, runtime);
    const dw = new Matrix(inputs + 1, stride, runtime);
    const activation = ACTIVATION_NUMBERS[this.activation];
    const from = [dy.offset, dy.dimensions, kept.offset] as const;
    pool.run('activationGradient', rows, GRAIN_ROWS, ...from, stride, activation, dz.offset);
    const bias = dw.offset + 4 * inputs * stride;
    pool.run('sumColumns', stride / 4, GRAIN_COLUMNS, dz.offset, stride, rows, bias);
    multiplyTransposedFused(runtime, {
      ...{ a: x.offset, aStride: x.dimensions, m: rows, n: inputs },
      ...{ b: dz.offset, d: stride, c: dw.offset },
    });
    return { dz, dw };
  }

  /** dz·Wᵀ, through a transposed copy of W. */
  #inputGradient(dz: Matrix, stride: number): Matrix {
    const { weights, inputs, units } = this;
    const runtime = this.runtime;
    const transposed = new Matrix(units, stride, runtime);
    const { offset, dimensions } = weights;
    modelPool(runtime).run('transposeRows', units, GRAIN_ROWS, offset, dimensions, inputs, transposed.offset, stride);
    const dx = unfilledMatrix(dz.rows, stride, runtime);
    multiplyRowsFused(runtime, {
      ...{ a: dz.offset, aStride: dz.dimensions, m: dz.rows, n: units },
      ...{ b: transposed.offset, d: stride, c: dx.offset },
    });
    transposed.free();
    return dx;
  }
}
