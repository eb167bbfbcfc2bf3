/** Readable forms of the coarse-code kernels (packages/core/assembly/coarse.ts): the same codes, the same tests. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { type CoarseKernels, SEARCH_COARSE } from '../families/coarse.ts';
import { type RecordValues, readRecord } from '../record.ts';
import { matmulReference } from './matmul.ts';
import { topkReference } from './topk.ts';

const PANEL = 8;
const CHUNK_ROWS = 8192;
const ZERO = 64;
const LEVELS = 63;
const SCALE_MIN = 2 ** -100;
const { fround } = Math;

/** The coarse-code kernels over `memory`. */
export function coarseReference(memory: LinearMemory): CoarseKernels {
  const { scorePanels } = matmulReference(memory);
  const { offerPanels } = topkReference(memory);
  return {
    packCoarse(begin, end, _slot, packed, d, codes, scales, stats) {
      for (let p = begin; p < end; p++) packPanel(memory, p, packed, d, { codes, scales, stats });
    },
    searchCoarse(begin, end, slot, address) {
      const call = readRecord(memory, SEARCH_COARSE, address);
      const { integers } = memory;
      const { query, d, chunks, codeChunks, scaleChunks, n, mask } = call;
      const width = Math.ceil(d / 4) * 4;
      const buffer = call.buffers + slot * call.slotStride;
      const scores = call.scratch + slot * call.scratchStride;
      for (let chunk = begin; chunk < end; chunk++) {
        const codes = integers[codeChunks / 4 + chunk]! >>> 0;
        const scales = integers[scaleChunks / 4 + chunk]! >>> 0;
        const packed = integers[chunks / 4 + chunk]! >>> 0;
        const firstRow = chunk * CHUNK_ROWS;
        for (let p = 0; p < Math.ceil(Math.min(CHUNK_ROWS, n - firstRow) / PANEL); p++) {
          const at = { codes: codes + p * width * PANEL, scales: scales + 4 * p * PANEL };
          if (!mayHoldResult(memory, call, buffer, at)) continue;
          scorePanels(query, 1, d, packed + 4 * p * PANEL * d, 1, scores, PANEL);
          offerPanels(buffer, scores, 1, firstRow + p * PANEL, n, 0, mask);
        }
      }
    },
  };
}

/** Codes and scales of the 8 rows of panel p, and the largest figures of their errors. */
function packPanel(
  { bytes, floats }: LinearMemory,
  p: number,
  packed: number,
  d: number,
  { codes, scales, stats }: { codes: number; scales: number; stats: number },
): void {
  const width = Math.ceil(d / 4) * 4;
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
      bytes[codes + p * width * PANEL + placeOfCode(i, t)] = code + ZERO;
    }
    floats[scales / 4 + p * PANEL + i] = scale;
    [error, length, scale].forEach((value, s) => {
      largest[s] = Math.max(largest[s]!, value);
    });
  }
  floats.set(largest, stats / 4 + 3 * p);
}

/** Byte offset in its panel of the code of dimension t of row i. */
function placeOfCode(i: number, t: number): number {
  return (t >> 2) * 4 * PANEL + i * 4 + (t & 3);
}

/** True unless the codes rule out that a row of the panel reaches the k-th best score. */
function mayHoldResult(
  { bytes, floats, integers }: LinearMemory,
  { queryBytes, offset, queryScale, slack, d }: RecordValues<typeof SEARCH_COARSE>,
  buffer: number,
  panel: { codes: number; scales: number },
): boolean {
  const [kept, k] = [integers[buffer / 4]!, integers[buffer / 4 + 3]!];
  if (kept < k) return true;
  const scores = Array.from({ length: kept }, (_, i) => floats[buffer / 4 + 4 + 2 * i]!);
  const kth = scores.sort((a, b) => b - a)[k - 1]!;
  return Array.from({ length: PANEL }, (_, i) => i).some((i) => {
    let sum = -offset;
    for (let t = 0; t < Math.ceil(d / 4) * 4; t++) {
      sum += ((bytes[queryBytes + t]! << 24) >> 24) * bytes[panel.codes + placeOfCode(i, t)]!;
    }
    const reach = fround(floats[panel.scales / 4 + i]! * fround(fround(sum * queryScale) + slack));
    return reach >= kth;
  });
}
