/** Readable forms of the kernels of rows (packages/core/assembly/rows.ts), rounding where those round. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { RowKernels } from '../families/rows.ts';

/** The kernels of rows over `memory`. */
export function rowsReference(memory: LinearMemory): RowKernels {
  const { fround } = Math;
  return {
    sumRows(begin, end, _slot, offsets, places, weights, d, out, outStride) {
      const { floats, integers } = memory;
      for (let i = begin; i < end; i++) {
        const [first, last] = [integers[offsets / 4 + i]!, integers[offsets / 4 + i + 1]!];
        for (let t = 0; t < d; t++) {
          let sum = 0;
          for (let j = first; j < last; j++) {
            const weight = weights === 0 ? 1 : floats[weights / 4 + j]!;
            const term = fround(weight * floats[integers[places / 4 + j]! + t]!);
            sum = j === first ? term : fround(sum + term);
          }
          floats[out / 4 + i * outStride + t] = sum;
        }
      }
    },
    normalizeRows(begin, end, _slot, rows, stride, d, lengths) {
      const { floats } = memory;
      for (let i = begin; i < end; i++) {
        const row = floats.subarray(rows / 4 + i * stride, rows / 4 + i * stride + d);
        const square = row.reduce((sum, x) => sum + x * x, 0);
        const length = fround(Math.sqrt(square));
        floats[lengths / 4 + i] = length;
        if (square > 0) row.forEach((x, t) => (row[t] = x / length));
      }
    },
    denormalizeRows(begin, end, _slot, gradients, stride, y, yStride, d, lengths) {
      const { floats } = memory;
      for (let i = begin; i < end; i++) {
        const dy = floats.subarray(gradients / 4 + i * stride, gradients / 4 + i * stride + d);
        const unit = floats.subarray(y / 4 + i * yStride, y / 4 + i * yStride + d);
        const length = floats[lengths / 4 + i]!;
        const along = dy.reduce((sum, g, t) => sum + g * unit[t]!, 0);
        dy.forEach((g, t) => (dy[t] = length === 0 ? 0 : (g - unit[t]! * along) / length));
      }
    },
  };
}
