/** Readable forms of the kernels of groups of centroids (packages/core/assembly/groups.ts). */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ASSIGN_GROUPED, type GroupKernels, NEAREST_GROUPS } from '../families/groups.ts';
import { readRecord } from '../record.ts';

const { fround } = Math;

/** Centroids in a panel (matmul.ts). */
const PANEL = 8;

/** The kernels of groups over `memory`. */
export function groupsReference(memory: LinearMemory): GroupKernels {
  /** ⟨x, c⟩ + start for the row x at a position, and the centroid c at a place of panels; sums in the order of the dimensions. */
  const product = (row: number, packed: number, place: number, d: number, start: number): number => {
    const { floats } = memory;
    const centroid = packed / 4 + Math.floor(place / PANEL) * PANEL * d + (place % PANEL);
    let sum = start;
    for (let t = 0; t < d; t++) sum = fround(sum + fround(floats[row + t]! * floats[centroid + PANEL * t]!));
    return sum;
  };
  return {
    nearestGroups(begin, end, _slot, address) {
      const { rows, n, d, packed, halfSquares, groups, nearest, chosen } = readRecord(memory, NEAREST_GROUPS, address);
      const { floats, integers } = memory;
      for (let row = 4 * begin; row < Math.min(n, 4 * end); row++) {
        const scored = Array.from({ length: groups }, (_, group) => {
          const score = product(rows / 4 + row * d, packed, group, d, 0);
          return { group, score: fround(score - floats[halfSquares / 4 + group]!) };
        });
        scored.sort((a, b) => b.score - a.score || a.group - b.group);
        const best = scored.slice(0, nearest).map(({ group }) => group);
        integers.set(best, chosen / 4 + row * nearest);
      }
    },
    assignGrouped(begin, end, _slot, address) {
      const { d, groupsPerRow, pairBegin, pairs, panelBegin, ...call } = readRecord(memory, ASSIGN_GROUPED, address);
      const { floats, integers } = memory;
      for (let g = begin; g < end; g++) {
        const [first, last] = [g, g + 1].map((at) => PANEL * integers[panelBegin / 4 + at]!);
        const [from, to] = [g, g + 1].map((at) => pairs / 4 + integers[pairBegin / 4 + at]!);
        for (const pair of integers.subarray(from, to)) {
          const row = call.rows / 4 + Math.floor(pair / groupsPerRow) * d;
          let best = Number.NEGATIVE_INFINITY;
          let nearest = 0;
          for (let place = first!; place < last!; place++) {
            const score = product(row, call.packed, place, d, -floats[call.halfSquares / 4 + place]!);
            if (score > best) {
              best = score;
              nearest = place;
            }
          }
          integers[call.places / 4 + pair] = nearest;
          floats[call.scores / 4 + pair] = best;
        }
      }
    },
  };
}
