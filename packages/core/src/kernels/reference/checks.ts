/** Readable forms of the checks (packages/core/assembly/checks.ts). */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { CheckKernels } from '../families/checks.ts';

/** The checks over `memory`. */
export function checksReference(memory: LinearMemory): CheckKernels {
  return {
    findNotFinite(values, length) {
      return memory.floats.subarray(values / 4, values / 4 + length).findIndex((value) => !Number.isFinite(value));
    },
  };
}
