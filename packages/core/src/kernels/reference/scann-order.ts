/** Readable form of the kernel that orders the copies of leaves and bounds their groups (packages/core/assembly/scann-build.ts). */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ORDER_LEAVES, type ScannBuildKernels } from '../families/scann-build.ts';
import { readRecord } from '../record.ts';

const GROUP = 32;
const ACROSS_WEIGHT = 1.5;
const { fround, sqrt, max } = Math;

/** The ordering kernel over `memory`. */
export function scannOrderReference(memory: LinearMemory): Pick<ScannBuildKernels, 'orderLeaves'> {
  return {
    orderLeaves(begin, end, _slot, address) {
      const { floats, integers } = memory;
      const integer = (offset: number, index = 0): number => integers[offset / 4 + index]!;
      const { rows, d, copyRow, centroids, leafBegin, order, leafQuads, bounds } = readRecord(
        memory,
        ORDER_LEAVES,
        address,
      );
      for (let leaf = begin; leaf < end; leaf++) {
        const first = integer(leafBegin, leaf);
        const last = integer(leafBegin, leaf + 1);
        const members = Array.from(integers.subarray(order / 4 + first, order / 4 + last), (copy) => {
          const [along, across] = projections(
            floats,
            rows + 4 * d * (copyRow ? integer(copyRow, copy) : copy),
            centroids + 4 * leaf * d,
            d,
          );
          return { copy, along, across, key: fround(along + fround(ACROSS_WEIGHT * across)) };
        }).sort((a, b) => b.key - a.key || a.copy - b.copy);
        let along = Number.NEGATIVE_INFINITY;
        let across = 0;
        for (let i = members.length - 1; i >= 0; i--) {
          const member = members[i]!;
          integers[order / 4 + first + i] = member.copy;
          along = max(along, member.along);
          across = max(across, member.across);
          const group = Math.floor(i / GROUP);
          const quad = bounds / 4 + 8 * (integer(leafQuads, leaf) + (group >> 2)) + (group & 3);
          floats[quad] = along;
          floats[quad + 4] = across;
        }
      }
    },
  };
}

/** a = ⟨r, c⟩/|c| and s = √((|r|² − a²)/(d − 1)). */
function projections(floats: Float32Array, x: number, c: number, d: number): [number, number] {
  const spread = d > 1 ? fround(1 / (d - 1)) : 1;
  let dot = 0;
  let square = 0;
  let norm = 0;
  for (let t = 0; t < d; t++) {
    const r = fround(floats[x / 4 + t]! - floats[c / 4 + t]!);
    dot = fround(dot + fround(r * floats[c / 4 + t]!));
    square = fround(square + fround(r * r));
    norm = fround(norm + fround(floats[c / 4 + t]! * floats[c / 4 + t]!));
  }
  const along = norm > 0 ? fround(dot / fround(sqrt(norm))) : 0;
  return [along, fround(sqrt(fround(max(0, fround(square - fround(along * along))) * spread)))];
}
