/**
 * Readable forms of layer normalization (packages/core/assembly/layer-norm.ts), in float64 and rounded once, so that the
 * compiled kernels agree with them to rounding.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { LAYER_NORM_GRADIENT, type LayerKernels } from '../families/layers.ts';
import { readRecord } from '../record.ts';

/** Layer normalization over `memory`. */
export function layerNormReference(memory: LinearMemory): Pick<LayerKernels, 'layerNormRows' | 'layerNormGradient'> {
  const { fround } = Math;
  /** A view of `columns` floats from row `i` of a matrix on. */
  const rowOf = (at: number, stride: number, i: number, columns = stride): Float32Array =>
    memory.floats.subarray(at / 4 + i * stride, at / 4 + i * stride + columns);
  return {
    layerNormRows(begin, end, _slot, x, stride, d, weights, epsilon, y, statistics) {
      const [gamma, beta] = [rowOf(weights, stride, 0), rowOf(weights, stride, 1)];
      for (let i = begin; i < end; i++) {
        const [from, to] = [rowOf(x, stride, i, d), rowOf(y, stride, i, d)];
        const mean = fround(from.reduce((sum, value) => sum + value, 0) / d);
        const variance = from.reduce((sum, value) => sum + (value - mean) ** 2, 0) / d;
        const inverse = fround(1 / Math.sqrt(variance + epsilon));
        rowOf(statistics, 2, i).set([mean, inverse]);
        for (let j = 0; j < d; j++) to[j] = gamma[j]! * (from[j]! - mean) * inverse + beta[j]!;
      }
    },
    layerNormGradient(begin, end, _slot, call) {
      const { dy, dyStride, x, stride, d, weights, statistics, dx, products } = readRecord(
        memory,
        LAYER_NORM_GRADIENT,
        call,
      );
      const gamma = rowOf(weights, stride, 0);
      for (let i = begin; i < end; i++) {
        const [mean, inverse] = rowOf(statistics, 2, i);
        const [gradient, to, along] = [rowOf(dy, dyStride, i), rowOf(dx, stride, i), rowOf(products, stride, i)];
        const unit = Array.from(rowOf(x, stride, i, d), (value) => (value - mean!) * inverse!);
        const g = unit.map((_, j) => gamma[j]! * gradient[j]!);
        const sum = g.reduce((total, value) => total + value, 0) / d;
        const both = g.reduce((total, value, j) => total + value * unit[j]!, 0) / d;
        unit.forEach((value, j) => {
          along[j] = gradient[j]! * value;
          to[j] = inverse! * (g[j]! - sum - value * both);
        });
      }
    },
  };
}
