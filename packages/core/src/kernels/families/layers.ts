/** The layers of models, forward and backward. Formulas and layouts: packages/core/assembly/layers.ts, layer-norm.ts. */
import type { RecordAddress } from '../record.ts';

/** The activations by their numbers in the kernels. */
export const ACTIVATION_NUMBERS = { linear: 0, relu: 1, tanh: 2, gelu: 3 } as const;

/** A call of layerNormGradient. */
export const LAYER_NORM_GRADIENT = {
  name: 'layerNormGradient',
  fields: {
    /** [n, dyStride] float32. */
    dy: 'usize',
    dyStride: 'i32',
    /** [n, stride] float32, as of layerNormRows. */
    x: 'usize',
    stride: 'i32',
    d: 'i32',
    /** [2, stride] float32: γ and β. */
    weights: 'usize',
    /** [n, 2] float32, from layerNormRows. */
    statistics: 'usize',
    /** [n, stride] float32, written. */
    dx: 'usize',
    products: 'usize',
  },
} as const;

/** The kernels of layers. */
export interface LayerKernels {
  /** z ← z + bias; y ← activation(z). Items: rows. */
  activateRows(
    begin: number,
    end: number,
    slot: number,
    z: number,
    stride: number,
    bias: number,
    activation: number,
    y: number,
  ): void;
  /** dz ← dy ⊙ activation′. Items: rows. */
  activationGradient(
    begin: number,
    end: number,
    slot: number,
    dy: number,
    dyStride: number,
    kept: number,
    stride: number,
    activation: number,
    dz: number,
  ): void;
  /** out[j] = Σ_i a[i][j]. Items: groups of 4 columns. */
  sumColumns(begin: number, end: number, slot: number, a: number, stride: number, n: number, out: number): void;
  /** to[i][j] = or += from[i][j]. Items: rows. */
  copyColumns(
    begin: number,
    end: number,
    slot: number,
    from: number,
    fromStride: number,
    columns: number,
    to: number,
    toStride: number,
    isAdded: number,
  ): void;
  /** to[j][i] = from[i][j]. Items: rows of `to`. */
  transposeRows(
    begin: number,
    end: number,
    slot: number,
    from: number,
    fromStride: number,
    n: number,
    to: number,
    toStride: number,
  ): void;
  /** y ← scale · x where the element's random number is at least `threshold`, else 0. Items: rows. */
  dropRows(
    begin: number,
    end: number,
    slot: number,
    x: number,
    stride: number,
    threshold: number,
    scale: number,
    seed: number,
    step: number,
    y: number,
  ): void;
  /** y = γ ⊙ (x − mean) / √(variance + epsilon) + β. Items: rows. */
  layerNormRows(
    begin: number,
    end: number,
    slot: number,
    x: number,
    stride: number,
    d: number,
    weights: number,
    epsilon: number,
    y: number,
    statistics: number,
  ): void;
  /** dx, and dy ⊙ x̂, of a layer normalization. Items: rows. */
  layerNormGradient(begin: number, end: number, slot: number, call: RecordAddress<typeof LAYER_NORM_GRADIENT>): void;
}
