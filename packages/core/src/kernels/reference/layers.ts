/**
 * Readable forms of the kernels of layers (packages/core/assembly/layers.ts). Exponentials, tanh and the
 * normal distribution are computed in float64, so the compiled kernels agree with them to rounding.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { Philox } from '../../random/philox.ts';
import { ACTIVATION_NUMBERS, type LayerKernels } from '../families/layers.ts';
import { layerNormReference } from './layer-norm.ts';

const { relu, tanh, gelu } = ACTIVATION_NUMBERS;

/** Φ(x), the share of a normal distribution below x: a series near 0, a continued fraction in the tails. */
export function normalShare(x: number): number {
  const z = Math.abs(x);
  let above: number;
  if (z < 4) {
    let [term, sum] = [z, z];
    for (let k = 1; k < 100; k++) {
      term *= (z * z) / (2 * k + 1);
      sum += term;
    }
    above = 0.5 - sum * density(z);
  } else {
    let fraction = z;
    for (let k = 60; k > 0; k--) fraction = z + k / fraction;
    above = density(z) / fraction;
  }
  return x < 0 ? above : 1 - above;
}

/** The density of a normal distribution. */
function density(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/** activation(z) */
export function activated(activation: number, z: number): number {
  if (activation === relu) return z < 0 ? 0 : z;
  if (activation === tanh) return Math.tanh(z);
  return activation === gelu ? z * normalShare(z) : z;
}

/** activation′ at y (ReLU, tanh) or z (GELU) */
function slope(activation: number, kept: number): number {
  if (activation === relu) return kept <= 0 ? 0 : 1;
  if (activation === tanh) return 1 - kept * kept;
  return activation === gelu ? normalShare(kept) + kept * density(kept) : 1;
}

/** The kernels of layers over `memory`. */
export function layersReference(memory: LinearMemory): LayerKernels {
  const { fround } = Math;
  /** A view of `columns` floats from row `i` of a matrix on. */
  const rowOf = (at: number, stride: number, i: number, columns = stride): Float32Array =>
    memory.floats.subarray(at / 4 + i * stride, at / 4 + i * stride + columns);
  return {
    ...layerNormReference(memory),
    activateRows(begin, end, _slot, z, stride, bias, activation, y) {
      const biases = rowOf(bias, stride, 0);
      for (let i = begin; i < end; i++) {
        const [from, to] = [rowOf(z, stride, i), rowOf(y, stride, i)];
        for (let j = 0; j < stride; j++) {
          from[j] = from[j]! + biases[j]!;
          to[j] = activated(activation, from[j]!);
        }
      }
    },
    activationGradient(begin, end, _slot, dy, dyStride, kept, stride, activation, dz) {
      for (let i = begin; i < end; i++) {
        const [from, at, to] = [rowOf(dy, dyStride, i), rowOf(kept, stride, i), rowOf(dz, stride, i)];
        for (let j = 0; j < stride; j++) to[j] = from[j]! * slope(activation, at[j]!);
      }
    },
    sumColumns(begin, end, _slot, a, stride, n, out) {
      const sums = rowOf(out, stride, 0);
      for (let j = 4 * begin; j < 4 * end; j++) {
        sums[j] = 0;
        for (let i = 0; i < n; i++) sums[j] = sums[j]! + rowOf(a, stride, i)[j]!;
      }
    },
    copyColumns(begin, end, _slot, from, fromStride, columns, to, toStride, isAdded) {
      for (let i = begin; i < end; i++) {
        const [source, target] = [rowOf(from, fromStride, i, columns), rowOf(to, toStride, i, columns)];
        for (let j = 0; j < columns; j++) target[j] = isAdded ? target[j]! + source[j]! : source[j]!;
      }
    },
    transposeRows(begin, end, _slot, from, fromStride, n, to, toStride) {
      for (let j = begin; j < end; j++) {
        const target = rowOf(to, toStride, j, n);
        for (let i = 0; i < n; i++) target[i] = memory.floats[from / 4 + i * fromStride + j]!;
      }
    },
    dropRows(begin, end, _slot, x, stride, threshold, scale, seed, step, y) {
      for (let i = begin; i < end; i++) {
        const [from, to] = [rowOf(x, stride, i), rowOf(y, stride, i)];
        const numbers = new Philox([seed, 0], [0, i, step, 0]);
        for (let j = 0; j < stride; j++) to[j] = numbers.nextUint32() >= threshold >>> 0 ? from[j]! * fround(scale) : 0;
      }
    },
  };
}
