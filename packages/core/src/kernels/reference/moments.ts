/** Readable forms of the kernels with moments: SGD with momentum, and Adam (packages/core/assembly/optimizers.ts). */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ADAM_ROWS, MOMENTUM_ROWS, type OptimizerKernels } from '../families/optimizers.ts';
import { readRecord } from '../record.ts';

/** The kernels with moments over `memory`, bit for bit those of the assembly. */
export function momentsReference(memory: LinearMemory): Pick<OptimizerKernels, 'momentumRows' | 'adamRows'> {
  const { fround, sqrt } = Math;
  return {
    momentumRows(begin, end, _slot, address) {
      const call = readRecord(memory, MOMENTUM_ROWS, address);
      const { parameters, moments, rows, gradients, stride, d, rate, momentum, nesterov } = call;
      const { floats, integers } = memory;
      for (let i = begin; i < end; i++) {
        for (let t = 0; t < d; t++) {
          const at = integers[rows / 4 + i]! * d + t;
          const step = fround(rate * floats[gradients / 4 + i * stride + t]!);
          const moment = fround(fround(momentum * floats[moments / 4 + at]!) - step);
          floats[moments / 4 + at] = moment;
          const move = nesterov ? fround(fround(momentum * moment) - step) : moment;
          floats[parameters / 4 + at] = floats[parameters / 4 + at]! + move;
        }
      }
    },
    adamRows(begin, end, _slot, address) {
      const call = readRecord(memory, ADAM_ROWS, address);
      const { parameters, state, rows, gradients, stride, d, rate, beta1, beta2, epsilon, take1, take2, all } = call;
      const { floats, integers } = memory;
      for (let i = begin; i < end; i++) {
        const named = integers[rows / 4 + i]!;
        const row = all ? i : named;
        const g = all && named < 0 ? call.zeros / 4 : gradients / 4 + (all ? named : i) * stride;
        const m = state / 4 + row * (2 * d + 2);
        const v = m + d;
        const [power1, power2] = [fround(floats[v + d]! * beta1), fround(floats[v + d + 1]! * beta2)];
        floats[v + d] = power1;
        floats[v + d + 1] = power2;
        const alpha = fround(fround(rate * fround(sqrt(fround(1 - power2)))) / fround(1 - power1));
        for (let t = 0; t < d; t++) {
          const at = parameters / 4 + row * d + t;
          const [gradient, mean0, square0] = [floats[g + t]!, floats[m + t]!, floats[v + t]!];
          const mean = fround(mean0 + fround(fround(gradient - mean0) * take1));
          const square = fround(square0 + fround(fround(fround(gradient * gradient) - square0) * take2));
          floats[m + t] = mean;
          floats[v + t] = square;
          floats[at] = floats[at]! - fround(fround(mean * alpha) / fround(fround(sqrt(square)) + epsilon));
        }
      }
    },
  };
}
