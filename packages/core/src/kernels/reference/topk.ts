/**
 * Readable forms of the top-k kernels (packages/core/assembly/topk.ts).
 *
 * A buffer has the same size and head; an entry here is its score and its row instead of one ordered key, and a full
 * buffer is sorted instead of partitioned. What `finishBuffers` writes is the same.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { SEARCH_PANELS, type TopKKernels } from '../families/topk.ts';
import { readRecord } from '../record.ts';
import { finiteScore } from './finite-score.ts';
import { matmulReference } from './matmul.ts';

const PANEL = 8;
const CHUNK_ROWS = 8192;
const QUERY_BLOCK = 64;
const HEAD = 4;

interface Entry {
  score: number;
  row: number;
}

/** Score descending, then row ascending. */
function compare(a: Entry, b: Entry): number {
  return b.score === a.score ? a.row - b.row : b.score > a.score ? 1 : -1;
}

/** Entries of a buffer. */
interface Buffers {
  read(buffer: number): Entry[];
  append(buffer: number, entry: Entry): void;
}

function buffersOf(memory: LinearMemory): Buffers {
  const read = (buffer: number): Entry[] => {
    const { floats, integers } = memory;
    return Array.from({ length: integers[buffer / 4]! }, (_, i) => ({
      score: floats[buffer / 4 + HEAD + 2 * i]!,
      row: integers[buffer / 4 + HEAD + 2 * i + 1]!,
    }));
  };
  const append = (buffer: number, entry: Entry): void => {
    const { floats, integers } = memory;
    const at = buffer / 4 + HEAD + 2 * integers[buffer / 4]!++;
    floats[at] = entry.score + 0;
    integers[at + 1] = entry.row;
    if (integers[buffer / 4]! === integers[buffer / 4 + 2]!) compact(buffer);
  };
  /** Keep the k best, sorted. The bound is the k-th score; an equal later score is refused by `offer`. */
  const compact = (buffer: number): void => {
    const { floats, integers } = memory;
    const k = integers[buffer / 4 + 3]!;
    const best = read(buffer).sort(compare).slice(0, k);
    integers[buffer / 4] = best.length;
    best.forEach(({ score, row }, i) => {
      floats[buffer / 4 + HEAD + 2 * i] = score;
      integers[buffer / 4 + HEAD + 2 * i + 1] = row;
    });
  };
  return { read, append };
}

/** The scan, which scores every row for every query and offers it to the query's buffer. */
function searchReference(memory: LinearMemory, offer: TopKKernels['offerPanels']): Pick<TopKKernels, 'searchPanels'> {
  const { scorePanels } = matmulReference(memory);
  const distancePanels: typeof scorePanels = (a, _rows, d, packed, _panels, out) => {
    const { floats } = memory;
    for (let i = 0; i < PANEL; i++) {
      let sum = 0;
      for (let t = 0; t < d; t++) {
        const difference = Math.fround(floats[a / 4 + t]! - floats[packed / 4 + t * PANEL + i]!);
        sum = Math.fround(sum + Math.fround(difference * difference));
      }
      floats[out / 4 + i] = -sum;
    }
  };
  return {
    searchPanels(begin, end, slot, address) {
      const {
        queries,
        queryCount,
        d,
        squared,
        chunks,
        chunkCount,
        chunksPerItem,
        n,
        rowShift,
        mask,
        maskStride,
        scratch,
        scratchStride,
        buffers,
        bufferStride,
        slotStride,
      } = readRecord(memory, SEARCH_PANELS, address);
      const runs = Math.ceil(chunkCount / chunksPerItem);
      const scores = scratch + slot * scratchStride;
      for (let item = begin; item < end; item++) {
        const queryBegin = Math.floor(item / runs) * QUERY_BLOCK;
        const chunkBegin = (item % runs) * chunksPerItem;
        for (let chunk = chunkBegin; chunk < Math.min(chunkBegin + chunksPerItem, chunkCount); chunk++) {
          const packed = memory.integers[chunks / 4 + chunk]! >>> 0;
          const firstRow = chunk * CHUNK_ROWS;
          for (let p = 0; p < Math.ceil(Math.min(CHUNK_ROWS, n - firstRow) / PANEL); p++) {
            for (let q = queryBegin; q < Math.min(queryBegin + QUERY_BLOCK, queryCount); q++) {
              const score = squared === 0 ? scorePanels : distancePanels;
              score(queries + 4 * q * d, 1, d, packed + 4 * p * PANEL * d, 1, scores, PANEL);
              const buffer = buffers + slot * slotStride + q * bufferStride;
              const ownMask = mask === 0 ? 0 : mask + q * maskStride;
              offer(buffer, scores, 1, firstRow + p * PANEL, n, rowShift, ownMask);
            }
          }
        }
      }
    },
  };
}

/** The top-k kernels over `memory`. */
export function topkReference(memory: LinearMemory): TopKKernels {
  const { read, append } = buffersOf(memory);
  const kernels: TopKKernels = {
    resetBuffers(buffers, count, strideBytes, k, capacity) {
      for (let i = 0; i < count; i++) {
        memory.integers.set([0, 0, capacity, k], (buffers + i * strideBytes) / 4);
      }
    },
    offerPanels(buffer, scores, panels, row, rowEnd, rowShift, mask) {
      const { bytes, floats } = memory;
      for (let r = row; r < Math.min(rowEnd, row + panels * PANEL); r++) {
        const score = finiteScore(floats[scores / 4 + r - row]!);
        const allowed = mask === 0 || (bytes[mask + (r >> 3)]! >> (r & 7)) & 1;
        if (allowed) append(buffer, { score, row: r + rowShift });
      }
    },
    ...searchReference(memory, (...rows) => kernels.offerPanels(...rows)),
    finishBuffers(begin, end, _slot, buffers, bufferStride, slotStride, slots, k, scores, rows, counts) {
      const { floats, integers } = memory;
      for (let q = begin; q < end; q++) {
        const entries = Array.from({ length: slots }, (_, s) => read(buffers + s * slotStride + q * bufferStride));
        const best = entries.flat().sort(compare).slice(0, k);
        for (let i = 0; i < k; i++) {
          floats[scores / 4 + q * k + i] = best[i]?.score ?? 0;
          integers[rows / 4 + q * k + i] = best[i]?.row ?? -1;
        }
        integers[counts / 4 + q] = best.length;
      }
    },
  };
  return kernels;
}
