/**
 * A dense layer, y = activation(x·W + b), forward and backward.
 *
 *   dz = dy ⊙ activation'(z);  dW = xᵀ·dz;  db = Σ rows dz;  dx = dz·Wᵀ
 *
 * Layout: every matrix has a row stride that is a multiple of 4 floats; padding columns of W and b are zero and stay so,
 * since their gradients are zero. Letters: n rows, m inputs, u units.
 */

import type { Part } from '../format/part.ts';
import { bytesOf, type Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { multiplyRowsFused, multiplyTransposedFused } from './fused-multiply.ts';

/** The function that is applied to x·W + b. */
export type Activation = 'relu' | 'linear';
const ACTIVATIONS: readonly Activation[] = ['relu', 'linear'];

/** Columns rounded up to whole vectors. */
export function padded(columns: number): number {
  return Math.ceil(columns / 4) * 4;
}

/** One layer with its weights. */
export class DenseLayer {
  readonly inputs: number;
  readonly units: number;
  readonly activation: Activation;
  /** [inputs + 1, units], the last row is the bias; columns padded to a multiple of 4. */
  readonly weights: Matrix;
  readonly #runtime: Runtime;
  #x: Matrix | undefined;
  #y: Matrix | undefined;

  constructor(inputs: number, units: number, activation: Activation, weights: Matrix) {
    this.inputs = inputs;
    this.units = units;
    this.activation = activation;
    this.weights = weights;
    this.#runtime = weights.runtime;
  }

  /** A new layer with Glorot uniform weights and zero bias, as Keras's Dense. */
  static create(inputs: number, units: number, activation: Activation, seed: number, runtime: Runtime): DenseLayer {
    const generator = new Generator(seed);
    const weights = new Matrix(inputs + 1, padded(units), runtime);
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

  /** Compute y [n, padded units] from x [n, stride]; y is valid until the next call. */
  forward(x: Matrix): Matrix {
    const { weights, units } = this;
    this.#y?.free();
    const y = new Matrix(x.rows, weights.dimensions, this.#runtime);
    multiplyRowsFused(this.#runtime, {
      ...{ a: x.offset, aStride: x.dimensions, m: x.rows, n: this.inputs },
      ...{ b: weights.offset, d: weights.dimensions, c: y.offset },
    });
    const bias = weights.row(this.inputs);
    const { data } = y;
    for (let i = 0; i < x.rows; i++) {
      for (let j = 0; j < units; j++) {
        const at = i * weights.dimensions + j;
        const z = data[at]! + bias[j]!;
        data[at] = this.activation === 'relu' && z < 0 ? 0 : z;
      }
    }
    this.#x = x;
    this.#y = y;
    return y;
  }

  /** Step the weights by the gradient dy of the last forward call; returns dx [n, stride of x]. */
  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix {
    const [x, y] = [this.#x!, this.#y!];
    const { weights, inputs } = this;
    const stride = weights.dimensions;
    const dz = new Matrix(dy.rows, stride, this.#runtime);
    const dw = new Matrix(inputs + 1, stride, this.#runtime);
    const bias = dw.row(inputs);
    const [from, to, out] = [dy.data, dz.data, y.data];
    for (let i = 0; i < dy.rows; i++) {
      for (let j = 0; j < this.units; j++) {
        const at = i * stride + j;
        if (this.activation === 'relu' && out[at]! <= 0) continue;
        to[at] = from[i * dy.dimensions + j]!;
        bias[j] = bias[j]! + to[at]!;
      }
    }
    multiplyTransposedFused(this.#runtime, {
      ...{ a: x.offset, aStride: x.dimensions, m: x.rows, n: inputs },
      ...{ b: dz.offset, d: stride, c: dw.offset },
    });
    const dx = this.#inputGradient(dz, x.dimensions);
    optimizer.step(
      weights,
      Int32Array.from({ length: inputs + 1 }, (_, row) => row),
      dw,
    );
    dz.free();
    dw.free();
    return dx;
  }

  /** dz·Wᵀ, through a transposed copy of W. */
  #inputGradient(dz: Matrix, stride: number): Matrix {
    const { weights, inputs, units } = this;
    const transposed = new Matrix(units, stride, this.#runtime);
    const [from, to] = [weights.data, transposed.data];
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < units; j++) to[j * stride + i] = from[i * weights.dimensions + j]!;
    }
    const dx = new Matrix(dz.rows, stride, this.#runtime);
    multiplyRowsFused(this.#runtime, {
      ...{ a: dz.offset, aStride: dz.dimensions, m: dz.rows, n: units },
      ...{ b: transposed.offset, d: stride, c: dx.offset },
    });
    transposed.free();
    return dx;
  }
}
