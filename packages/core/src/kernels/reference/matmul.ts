/**
 * Readable forms of the scores of panels (packages/core/assembly/matmul.ts), summing in float32 in the same order, so
 * that they agree with the compiled ones bit for bit.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { MatmulKernels } from '../families/matmul.ts';

const PANEL = 8;

/** The matrix kernels over `memory`. */
export function matmulReference(memory: LinearMemory): MatmulKernels {
  const { fround } = Math;
  return {
    packPanels(begin, end, _slot, b, n, d, packed) {
      const floats = memory.floats;
      for (let p = begin; p < end; p++) {
        for (let t = 0; t < d; t++) {
          for (let i = 0; i < PANEL; i++) {
            const row = p * PANEL + i;
            floats[packed / 4 + p * PANEL * d + t * PANEL + i] = row < n ? floats[b / 4 + row * d + t]! : 0;
          }
        }
      }
    },
    scorePanels(a, rows, d, packed, panels, out, outStride) {
      const floats = memory.floats;
      for (let r = 0; r < rows; r++) {
        for (let p = 0; p < panels; p++) {
          for (let i = 0; i < PANEL; i++) {
            let sum = 0;
            for (let t = 0; t < d; t++) {
              const product = fround(floats[a / 4 + r * d + t]! * floats[packed / 4 + p * PANEL * d + t * PANEL + i]!);
              sum = fround(sum + product);
            }
            floats[out / 4 + r * outStride + p * PANEL + i] = sum;
          }
        }
      }
    },
  };
}
