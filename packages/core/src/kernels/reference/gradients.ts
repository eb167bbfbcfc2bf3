/** Readable forms of the kernels of clipping and weight decay (packages/core/assembly/optimizers.ts). */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { OptimizerKernels } from '../families/optimizers.ts';

/** The kernels of clipping and weight decay over `memory`, bit for bit those of the assembly. */
export function gradientsReference(
  memory: LinearMemory,
): Pick<OptimizerKernels, 'decayRows' | 'squareRows' | 'clipRows'> {
  const { fround } = Math;
  return {
    decayRows(begin, end, _slot, parameters, rows, d, share) {
      const { floats, integers } = memory;
      const share32 = fround(share);
      for (let i = begin; i < end; i++) {
        for (let t = 0; t < d; t++) {
          const at = parameters / 4 + integers[rows / 4 + i]! * d + t;
          floats[at] = floats[at]! - fround(floats[at]! * share32);
        }
      }
    },
    squareRows(begin, end, _slot, gradients, stride, d, squares) {
      const { floats } = memory;
      const sums = new Float64Array(memory.memory.buffer);
      for (let i = begin; i < end; i++) {
        const g = gradients / 4 + i * stride;
        sums[squares / 8 + i] = floats.subarray(g, g + d).reduce((sum, x) => sum + x * x, 0);
      }
    },
    clipRows(begin, end, _slot, gradients, stride, d, scale, limit, out) {
      const { floats } = memory;
      const [scale32, limit32] = [fround(scale), fround(limit)];
      for (let i = begin; i < end; i++) {
        for (let t = 0; t < d; t++) {
          const value = fround(floats[gradients / 4 + i * stride + t]! * scale32);
          floats[out / 4 + i * d + t] = Math.min(Math.max(value, -limit32), limit32);
        }
      }
    },
  };
}
