/** Readable forms of the kernels that build leaves (packages/core/assembly/scann-build.ts), in float32 in the same order. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { PACK_GROUPS, type ScannBuildKernels } from '../families/scann-build.ts';
import { readRecord } from '../record.ts';
import { scannCodesReference } from './scann-codes.ts';
import { scannOrderReference } from './scann-order.ts';

const WORDS = 16;
const GROUP = 32;

/** The build kernels over `memory`. */
export function scannBuildReference(memory: LinearMemory): ScannBuildKernels {
  const kernels: ScannBuildKernels = {
    ...scannCodesReference(memory),
    ...scannOrderReference(memory),
    packGroups(begin, end, _slot, address) {
      const {
        groupLeaf,
        leafGroups,
        leafBegin,
        order,
        copyRow,
        codes,
        blocks,
        correctionCodes,
        corrections,
        packed,
        rowOfSlot,
        valid,
      } = readRecord(memory, PACK_GROUPS, address);
      const { bytes, integers } = memory;
      const integer = (offset: number, index = 0): number => integers[offset / 4 + index]!;
      const all = blocks + corrections;
      for (let group = begin; group < end; group++) {
        const leaf = integer(groupLeaf, group);
        const first = integer(leafBegin, leaf) + (group - integer(leafGroups, leaf)) * GROUP;
        const count = Math.min(GROUP, integer(leafBegin, leaf + 1) - first);
        const to = packed + group * all * WORDS;
        bytes.fill(0, to, to + all * WORDS);
        for (let i = 0; i < GROUP; i++) {
          integers[rowOfSlot / 4 + group * GROUP + i] = -1;
          if (i >= count) continue;
          const copy = integer(order, first + i);
          integers[rowOfSlot / 4 + group * GROUP + i] = copyRow ? integer(copyRow, copy) : copy;
          kernels.packPoint(to, i, codes + copy * blocks, blocks, correctionCodes + copy * corrections, corrections);
        }
        integers[valid / 4 + group] = count === GROUP ? -1 : (1 << count) - 1;
      }
    },
    packPoint(group, i, codes, blocks, correctionCodes, corrections) {
      const { bytes } = memory;
      const lane = i % WORDS;
      const column = 2 * (lane % 8) + (lane < 8 ? 0 : 1);
      for (let b = 0; b < blocks + corrections; b++) {
        const code = b < blocks ? bytes[codes + b]! : bytes[correctionCodes + b - blocks]!;
        bytes[group + b * WORDS + column]! |= code << (i < WORDS ? 0 : 4);
      }
    },
  };
  return kernels;
}
