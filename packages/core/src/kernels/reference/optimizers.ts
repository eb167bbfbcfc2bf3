/** Readable forms of the optimizer kernels (packages/core/assembly/optimizers.ts), bit for bit the same. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ADAM_ROWS, type OptimizerKernels } from '../families/optimizers.ts';
import { readRecord } from '../record.ts';

/** The optimizer kernels over `memory`. */
export function optimizersReference(memory: LinearMemory): OptimizerKernels {
  const { fround, sqrt } = Math;
  return {
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
    adamRows(begin, end, _slot, address) {
      const { parameters, state, rows, gradients, stride, d, rate, beta1, beta2, epsilon, decay } = readRecord(
        memory,
        ADAM_ROWS,
        address,
      );
      const { floats, integers } = memory;
      const [rate32, epsilon32, decay32] = [fround(rate), fround(epsilon), fround(decay)];
      const [keep1, keep2] = [fround(beta1), fround(beta2)];
      const [take1, take2] = [fround(1 - keep1), fround(1 - keep2)];
      for (let i = begin; i < end; i++) {
        const row = integers[rows / 4 + i]!;
        const m = state / 4 + row * (2 * d + 2);
        const v = m + d;
        const [power1, power2] = [fround(floats[v + d]! * keep1), fround(floats[v + d + 1]! * keep2)];
        floats[v + d] = power1;
        floats[v + d + 1] = power2;
        const [correction1, correction2] = [fround(1 - power1), fround(1 - power2)];
        for (let t = 0; t < d; t++) {
          const at = parameters / 4 + row * d + t;
          const gradient = floats[gradients / 4 + i * stride + t]!;
          const mean = fround(fround(keep1 * floats[m + t]!) + fround(take1 * gradient));
          const square = fround(fround(keep2 * floats[v + t]!) + fround(take2 * fround(gradient * gradient)));
          floats[m + t] = mean;
          floats[v + t] = square;
          const root = fround(fround(sqrt(fround(square / correction2))) + epsilon32);
          const move = fround(fround(fround(mean / correction1) / root) + fround(decay32 * floats[at]!));
          floats[at] = floats[at]! - fround(rate32 * move);
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
