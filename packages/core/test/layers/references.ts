/** The layers in float64, each as its formula says: `gradCheck` takes the finite differences of these. */

import { normalShare } from '../../src/kernels/reference/layers.ts';
import { padded } from '../../src/layers/contract.ts';
import type { Activation } from '../../src/layers/dense-layer.ts';
import type { LayerReference } from '../../src/layers/grad-check.ts';

const ACTIVATIONS: Readonly<Record<Activation, (z: number) => number>> = {
  linear: (z) => z,
  relu: (z) => Math.max(0, z),
  tanh: Math.tanh,
  gelu: (z) => z * normalShare(z),
};

/** A function of single rows as a function of all. */
export function byRow(
  inputs: number,
  row: (x: Float64Array, parameters: readonly Float64Array[]) => ArrayLike<number>,
): LayerReference {
  return (x, rows, parameters) => {
    const values = Array.from({ length: rows }, (_, i) =>
      Array.from(row(x.subarray(i * inputs, (i + 1) * inputs), parameters)),
    );
    return Float64Array.from(values.flat());
  };
}

/** activation(x·W + b) of the weights number `at` of the parameters. */
export function denseRow(x: ArrayLike<number>, weights: Float64Array, units: number, activation: Activation): number[] {
  const [inputs, stride] = [x.length, padded(units)];
  return Array.from({ length: units }, (_, j) => {
    let z = weights[inputs * stride + j]!;
    for (let t = 0; t < inputs; t++) z += x[t]! * weights[t * stride + j]!;
    return ACTIVATIONS[activation](z);
  });
}

/** The outputs of causal attention for the rows of sequences. */
export function attentionRows(x: Float64Array, offsets: Int32Array, columns: number, heads: number): Float64Array {
  const [d, width] = [columns / 3, columns / 3 / heads];
  const y = new Float64Array((x.length / columns) * d);
  const at = (row: number, part: number, head: number, t: number): number =>
    x[row * columns + part * d + head * width + t]!;
  const terms = Array.from({ length: width }, (_, t) => t);
  offsets.subarray(1).forEach((last, s) => {
    for (let i = offsets[s]!; i < last; i++) {
      for (let head = 0; head < heads; head++) {
        const weights: number[] = [];
        for (let j = offsets[s]!; j <= i; j++) {
          const product = terms.reduce((sum, t) => sum + at(i, 0, head, t) * at(j, 1, head, t), 0);
          weights.push(Math.exp(product / Math.sqrt(width)));
        }
        const sum = weights.reduce((total, weight) => total + weight, 0);
        for (const t of terms) {
          const total = weights.reduce((all, weight, j) => all + weight * at(offsets[s]! + j, 2, head, t), 0);
          y[i * d + head * width + t] = total / sum;
        }
      }
    }
  });
  return y;
}

/** γ ⊙ (x − mean) / √(variance + epsilon) + β */
export function layerNormRow(x: Float64Array, weights: Float64Array, epsilon: number): Float64Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  const stride = padded(x.length);
  return x.map((value, j) => (weights[j]! * (value - mean)) / Math.sqrt(variance + epsilon) + weights[stride + j]!);
}
