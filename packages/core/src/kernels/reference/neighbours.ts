/** Readable forms of the kernels of listed centroids (packages/core/assembly/neighbours.ts). */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { ASSIGN_LISTED, NEAREST_LISTED, type NeighbourKernels } from '../families/neighbours.ts';
import { readRecord } from '../record.ts';

const { fround } = Math;

/** The kernels of listed centroids over `memory`. */
export function neighboursReference(memory: LinearMemory): NeighbourKernels {
  /** The numbers of list `l`: order[begin[l] … begin[l + 1]). */
  const numbersOf = (begin: number, order: number, l: number): Int32Array => {
    const { integers } = memory;
    return integers.subarray(order / 4 + integers[begin / 4 + l]!, order / 4 + integers[begin / 4 + l + 1]!);
  };
  return {
    assignListed(begin, end, _slot, address) {
      const call = readRecord(memory, ASSIGN_LISTED, address);
      const { floats, integers } = memory;
      for (let l = begin; l < end; l++) {
        const listed = numbersOf(call.listBegin, call.listed, l);
        for (const row of numbersOf(call.rowBegin, call.order, l)) {
          let best = Number.NEGATIVE_INFINITY;
          let label = listed[0]!;
          for (const c of listed) {
            let score = -floats[call.halfSquares / 4 + c]!;
            for (let t = 0; t < call.d; t++) {
              const product = floats[call.rows / 4 + row * call.d + t]! * floats[call.centroids / 4 + c * call.d + t]!;
              score = fround(score + fround(product));
            }
            if (score > best) {
              best = score;
              label = c;
            }
          }
          integers[call.labels / 4 + row] = label;
          floats[call.scores / 4 + row] = best;
        }
      }
    },
    nearestListed(begin, end, _slot, address) {
      const { centroids, d, m, ...call } = readRecord(memory, NEAREST_LISTED, address);
      const { floats, integers } = memory;
      for (let g = begin; g < end; g++) {
        const listed = numbersOf(call.listBegin, call.listed, g);
        for (const c of numbersOf(call.groupBegin, call.order, g)) {
          const distances = Array.from(listed, (other) => {
            let sum = 0;
            for (let t = 0; t < d; t++) {
              const difference = fround(floats[centroids / 4 + c * d + t]! - floats[centroids / 4 + other * d + t]!);
              sum = fround(sum + fround(difference * difference));
            }
            return { other, sum };
          });
          distances.sort((a, b) => a.sum - b.sum || a.other - b.other);
          const kept = distances.slice(0, m).map(({ other }) => other);
          integers.set(Int32Array.from(kept).sort(), call.nearest / 4 + c * m);
        }
      }
    },
  };
}
