/** Readable form of the symmetric kernel (packages/core/assembly/symmetric.ts), summing in float32 in the same order. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { SymmetricKernels } from '../families/symmetric.ts';

const BLOCK = 16;
const PANEL = 8;

/** The symmetric kernel over `memory`. */
export function symmetricReference(memory: LinearMemory): SymmetricKernels {
  const { fround } = Math;
  return {
    addSymmetric(begin, end, _slot, a, d, packed, panels, c) {
      const floats = memory.floats;
      const n = panels * PANEL;
      for (let r = begin * BLOCK; r < end * BLOCK; r++) {
        for (let j = BLOCK * Math.floor(r / BLOCK); j < n; j++) {
          const [p, i] = [Math.floor(j / PANEL), j % PANEL];
          let sum = floats[c / 4 + r * n + j]!;
          for (let t = 0; t < d; t++) {
            sum = fround(sum + fround(floats[a / 4 + r * d + t]! * floats[packed / 4 + (p * d + t) * PANEL + i]!));
          }
          floats[c / 4 + r * n + j] = sum;
        }
      }
    },
  };
}
