/** Readable forms of the coarse-code kernels (packages/core/assembly/coarse.ts): the same codes, the same tests. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { CoarseKernels } from '../contract.ts';
import { matmulReference } from './matmul.ts';
import { topkReference } from './topk.ts';

const PANEL = 8;
const CHUNK_ROWS = 8192;
const ZERO = 64;
const LEVELS = 63;
const SCALE_MIN = 2 ** -100;

/** The coarse-code kernels over `memory`. */
export function coarseReference(memory: LinearMemory): CoarseKernels {
  const { fround } = Math;
  const { scorePanels } = matmulReference(memory);
  const { offerPanels } = topkReference(memory);
  return {
    packCoarse(begin, end, _slot, packed, d, codes, scales, stats) {
      const { bytes, floats } = memory;
      const width = Math.ceil(d / 4) * 4;
      for (let p = begin; p < end; p++) {
        const largest = [0, 0, 0];
        for (let i = 0; i < PANEL; i++) {
          const row = Array.from({ length: d }, (_, t) => floats[packed / 4 + (p * d + t) * PANEL + i]!);
          const peak = row.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
          const scale = Math.max(SCALE_MIN, fround(peak / LEVELS));
          let error = 0;
          let length = 0;
          for (let t = 0; t < width; t++) {
            const ratio = fround((row[t] ?? 0) / scale);
            const code = Math.max(-LEVELS, Math.min(LEVELS, Math.floor(fround(ratio + 0.5))));
            const off = fround(ratio - code);
            error = fround(error + fround(off * off));
            length += code * code;
            bytes[codes + p * width * PANEL + (t >> 2) * 4 * PANEL + i * 4 + (t & 3)] = code + ZERO;
          }
          floats[scales / 4 + p * PANEL + i] = scale;
          [error, length, scale].forEach((value, s) => {
            largest[s] = Math.max(largest[s]!, value);
          });
        }
        floats.set(largest, stats / 4 + 3 * p);
      }
    },
    searchCoarse(begin, end, slot, query, queryBytes, _queryShorts, offset, queryScale, slack, d, chunks, ...rest) {
      const [codeChunks, scaleChunks, n, mask, scratch, scratchStride, buffers, slotStride] = rest as CoarsePlaces;
      const { bytes, floats, integers } = memory;
      const width = Math.ceil(d / 4) * 4;
      const buffer = buffers + slot * slotStride;
      for (let chunk = begin; chunk < end; chunk++) {
        const codes = integers[codeChunks / 4 + chunk]! >>> 0;
        const scales = integers[scaleChunks / 4 + chunk]! >>> 0;
        const packed = integers[chunks / 4 + chunk]! >>> 0;
        const firstRow = chunk * CHUNK_ROWS;
        for (let p = 0; p < Math.ceil(Math.min(CHUNK_ROWS, n - firstRow) / PANEL); p++) {
          const kept = integers[buffer / 4]!;
          const k = integers[buffer / 4 + 3]!;
          let mayHold = kept < k;
          for (let i = 0; i < PANEL && !mayHold; i++) {
            let sum = -offset;
            for (let t = 0; t < width; t++) {
              const code = bytes[codes + p * width * PANEL + (t >> 2) * 4 * PANEL + i * 4 + (t & 3)]!;
              sum += ((bytes[queryBytes + t]! << 24) >> 24) * code;
            }
            const reach = fround(floats[scales / 4 + p * PANEL + i]! * fround(fround(sum * queryScale) + slack));
            mayHold = reach >= kthScore(buffer, kept, k);
          }
          if (!mayHold) continue;
          scorePanels(query, 0, 1, d, packed, p, p + 1, scratch + slot * scratchStride, PANEL);
          offerPanels(buffer, scratch + slot * scratchStride, 1, firstRow + p * PANEL, n, 0, mask);
        }
      }
    },
  };

  /** The k-th best score of a buffer that holds at least k. */
  function kthScore(buffer: number, kept: number, k: number): number {
    const scores = Array.from({ length: kept }, (_, i) => memory.floats[buffer / 4 + 4 + 2 * i]!);
    return scores.sort((a, b) => b - a)[k - 1]!;
  }
}

type CoarsePlaces = [
  codeChunks: number,
  scaleChunks: number,
  n: number,
  mask: number,
  scratch: number,
  scratchStride: number,
  buffers: number,
  slotStride: number,
];
