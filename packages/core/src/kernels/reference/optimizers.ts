/** Readable forms of the optimizer kernels (packages/core/assembly/optimizers.ts), bit for bit the same. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { OptimizerKernels } from '../families/optimizers.ts';
import { gradientsReference } from './gradients.ts';
import { momentsReference } from './moments.ts';

/** The optimizer kernels over `memory`. */
export function optimizersReference(memory: LinearMemory): OptimizerKernels {
  const { fround, sqrt } = Math;
  return {
    ...momentsReference(memory),
    ...gradientsReference(memory),
    adagradRows(begin, end, _slot, parameters, accumulators, rows, gradients, stride, d, rate, epsilon) {
      const { floats, integers } = memory;
      const [rate32, epsilon32] = [fround(rate), fround(epsilon)];
      for (let i = begin; i < end; i++) {
        for (let t = 0; t < d; t++) {
          const at = integers[rows / 4 + i]! * d + t;
          const gradient = floats[gradients / 4 + i * stride + t]!;
          const sum = fround(floats[accumulators / 4 + at]! + fround(gradient * gradient));
          floats[accumulators / 4 + at] = sum;
          const step = fround(fround(rate32 * gradient) / fround(sqrt(fround(sum + epsilon32))));
          floats[parameters / 4 + at] = floats[parameters / 4 + at]! - step;
        }
      }
    },
    rowWiseAdagradRows(begin, end, _slot, parameters, accumulators, rows, gradients, stride, d, rate, epsilon) {
      const { floats, integers } = memory;
      const [rate32, epsilon32] = [fround(rate), fround(epsilon)];
      for (let i = begin; i < end; i++) {
        const row = integers[rows / 4 + i]!;
        const g = gradients / 4 + i * stride;
        const square = floats.subarray(g, g + d).reduce((sum, x) => sum + x * x, 0);
        const sum = fround(floats[accumulators / 4 + row]! + square / d);
        floats[accumulators / 4 + row] = sum;
        const factor = fround(rate32 / fround(fround(sqrt(sum)) + epsilon32));
        for (let t = 0; t < d; t++) {
          const at = parameters / 4 + row * d + t;
          floats[at] = floats[at]! - fround(factor * floats[g + t]!);
        }
      }
    },
    sgdRows(begin, end, _slot, parameters, rows, gradients, stride, d, rate) {
      const { floats, integers } = memory;
      const rate32 = fround(rate);
      for (let i = begin; i < end; i++) {
        for (let t = 0; t < d; t++) {
          const at = parameters / 4 + integers[rows / 4 + i]! * d + t;
          floats[at] = floats[at]! - fround(rate32 * floats[gradients / 4 + i * stride + t]!);
        }
      }
    },
  };
}
