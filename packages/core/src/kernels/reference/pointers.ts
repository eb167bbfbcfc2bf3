/** Readable forms of the kernels of composed embeddings (packages/core/assembly/pointers.ts), bit for bit the same. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { GATHER_CLUSTERED, GROUP_USES, type PointerKernels } from '../families/pointers.ts';
import { readRecord } from '../record.ts';

const PRIME = 0x7fff_ffffn;
const { fround } = Math;

/** base + ((a·id + b) mod p) mod rows, of the four words at `at`. */
function hash({ integers }: LinearMemory, at: number, id: number): number {
  const [a, b, base, rows] = Array.from(integers.subarray(at, at + 4), (word) => word >>> 0);
  return base! + (Number((BigInt(a!) * BigInt(id >>> 0) + BigInt(b!)) % PRIME) % rows!);
}

/** The kernels that find the pointers of ids. */
function findPointers(
  memory: LinearMemory,
): Pick<PointerKernels, 'hashPointers' | 'readPointers' | 'readLearnedPointers'> {
  return {
    hashPointers(begin, end, _slot, ids, coefficients, terms, step, out) {
      const { integers } = memory;
      for (let i = begin; i < end; i++) {
        for (let t = step - 1; t < terms; t += step) {
          integers[out / 4 + i * terms + t] = hash(memory, coefficients / 4 + 4 * t, integers[ids / 4 + i]!);
        }
      }
    },
    readPointers(begin, end, _slot, ids, learned, columns, sums, blockRows, out) {
      const { integers } = memory;
      const pointers = new Uint16Array(memory.memory.buffer);
      for (let i = begin; i < end; i++) {
        for (let j = 0; j < columns; j++) {
          const pointer = pointers[learned / 2 + integers[ids / 4 + i]! * columns + j]!;
          integers[out / 4 + (i * columns + j) * sums] = j * blockRows + pointer;
        }
      }
    },
    readLearnedPointers(begin, end, _slot, ids, bits, ranks, learned, columns, sums, blockRows, out) {
      const { integers } = memory;
      const pointers = new Uint16Array(memory.memory.buffer);
      const isLearned = (id: number): boolean => ((integers[bits / 4 + (id >> 5)]! >> (id & 31)) & 1) === 1;
      for (let i = begin; i < end; i++) {
        const id = integers[ids / 4 + i]!;
        if (!isLearned(id)) continue;
        let rank = integers[ranks / 4 + (id >> 5)]!;
        for (let before = id & ~31; before < id; before++) if (isLearned(before)) rank++;
        for (let j = 0; j < columns; j++) {
          integers[out / 4 + (i * columns + j) * sums] = j * blockRows + pointers[learned / 2 + rank * columns + j]!;
        }
      }
    },
  };
}

/** The kernels that add codebook rows up to vectors. */
function gatherRows(memory: LinearMemory): Pick<PointerKernels, 'gatherClustered' | 'gatherPointers'> {
  return {
    gatherClustered(begin, end, _slot, address) {
      const { table, w, ids, learned, coefficients, columns, blockRows, out, outStride } = readRecord(
        memory,
        GATHER_CLUSTERED,
        address,
      );
      const { floats, integers } = memory;
      const pointers = new Uint16Array(memory.memory.buffer);
      const row = (at: number): number => table / 4 + w * at;
      for (let i = begin; i < end; i++) {
        const id = integers[ids / 4 + i]!;
        for (let j = 0; j < columns; j++) {
          const first = row(j * blockRows + pointers[learned / 2 + id * columns + j]!);
          const second = row(hash(memory, coefficients / 4 + 4 * (2 * j + 1), id));
          for (let t = 0; t < w; t++) {
            floats[out / 4 + i * outStride + j * w + t] = fround(floats[first + t]! + floats[second + t]!);
          }
        }
      }
    },
    gatherPointers(begin, end, _slot, table, w, pointers, columns, sums, out, outStride) {
      const { floats, integers } = memory;
      for (let i = begin; i < end; i++) {
        for (let j = 0; j < columns; j++) {
          for (let t = 0; t < w; t++) {
            let sum = 0;
            for (let s = 0; s < sums; s++) {
              const row = integers[pointers / 4 + (i * columns + j) * sums + s]!;
              const value = floats[table / 4 + row * w + t]!;
              sum = s === 0 ? value : fround(sum + value);
            }
            floats[out / 4 + i * outStride + j * w + t] = sum;
          }
        }
      }
    },
  };
}

/** The kernels that sum gradients by codebook row. */
function sumGradients(memory: LinearMemory): Pick<PointerKernels, 'sumUses' | 'groupUses'> {
  return {
    sumUses(begin, end, _slot, starts, uses, gradients, stride, w, terms, sums, out) {
      const { floats, integers } = memory;
      for (let g = begin; g < end; g++) {
        for (let t = 0; t < w; t++) {
          let sum = 0;
          for (let u = integers[starts / 4 + g]!; u < integers[starts / 4 + g + 1]!; u++) {
            const use = integers[uses / 4 + u]!;
            const column = Math.floor((use % terms) / sums);
            sum = fround(sum + floats[gradients / 4 + Math.floor(use / terms) * stride + column * w + t]!);
          }
          floats[out / 4 + g * w + t] = sum;
        }
      }
    },
    groupUses(begin, end, _slot, address) {
      const { pointers, ids, parts, sums, uses, distinct, starts, groups } = readRecord(memory, GROUP_USES, address);
      const { integers } = memory;
      const terms = parts * sums;
      for (let part = begin; part < end; part++) {
        const own = Array.from(
          { length: ids * sums },
          (_, i) => Math.floor(i / sums) * terms + part * sums + (i % sums),
        );
        own.sort((a, b) => integers[pointers / 4 + a]! - integers[pointers / 4 + b]! || a - b);
        const first = part * ids * sums;
        let group = first;
        own.forEach((use, i) => {
          const row = integers[pointers / 4 + use]!;
          integers[uses / 4 + first + i] = use;
          if (group > first && integers[distinct / 4 + group - 1] === row) return;
          integers[distinct / 4 + group] = row;
          integers[starts / 4 + group] = first + i;
          group++;
        });
        integers[groups / 4 + part] = group - first;
      }
    },
  };
}

/** The kernels of composed embeddings over `memory`. */
export function pointersReference(memory: LinearMemory): PointerKernels {
  return { ...findPointers(memory), ...gatherRows(memory), ...sumGradients(memory) };
}
