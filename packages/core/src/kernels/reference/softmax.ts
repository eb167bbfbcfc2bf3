/** Readable forms of the softmax kernels (packages/core/assembly/softmax.ts); exp is the exact one, so equal to rounding. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { SOFTMAX_TILE, type SoftmaxKernels } from '../families/softmax.ts';
import { readRecord } from '../record.ts';
import { matmulReference } from './matmul.ts';
import { softmaxPairsReference } from './softmax-pairs.ts';

/** One row of logits and what belongs to it. */
interface Row {
  /** Position of the row's first logit, in floats. */
  at: number;
  columns: number;
  scale: number;
  weight: number;
  columnWeights: number;
  pairColumns: number;
  pairWeights: number;
  firstPair: number;
  lastPair: number;
  /** Byte offset of the three results. */
  result: number;
}

/** The softmax kernels over `memory`. */
export function softmaxReference(memory: LinearMemory): SoftmaxKernels {
  const { scorePanels } = matmulReference(memory);
  return {
    ...softmaxPairsReference(memory),
    softmaxTile(begin, end, _slot, address) {
      const {
        first,
        queries,
        d,
        packed,
        panels,
        scale,
        rowWeights,
        columnWeights,
        pairStarts,
        pairColumns,
        pairWeights,
        tile,
        results,
      } = readRecord(memory, SOFTMAX_TILE, address);
      const columns = panels * 8;
      for (let r = begin; r < end; r++) {
        scorePanels(queries + 4 * (first + r) * d, 1, d, packed, panels, tile + 4 * r * columns, columns);
        softmaxRow(memory, {
          at: tile / 4 + r * columns,
          columns,
          scale: Math.fround(scale),
          weight: memory.floats[rowWeights / 4 + first + r]!,
          columnWeights,
          pairColumns,
          pairWeights,
          firstPair: memory.integers[pairStarts / 4 + first + r]!,
          lastPair: memory.integers[pairStarts / 4 + first + r + 1]!,
          result: results + 24 * r,
        });
      }
    },
  };
}

function softmaxRow(memory: LinearMemory, row: Row): void {
  const { floats, integers } = memory;
  const { at, columns, scale, weight, firstPair, lastPair, result } = row;
  const columnWeight = (j: number): number => floats[row.columnWeights / 4 + j]!;
  const pairColumn = (p: number): number => at + integers[row.pairColumns / 4 + p]!;
  const pairWeight = (p: number): number => floats[row.pairWeights / 4 + p]!;
  let top = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < columns; j++) {
    floats[at + j] = floats[at + j]! * scale;
    if (columnWeight(j) > 0) top = Math.max(top, floats[at + j]!);
  }
  let positive = 0;
  for (let p = firstPair; p < lastPair; p++) positive += pairWeight(p) * floats[pairColumn(p)]!;
  let total = 0;
  for (let j = 0; j < columns; j++) {
    floats[at + j] = columnWeight(j) === 0 ? 0 : columnWeight(j) * Math.exp(floats[at + j]! - top);
    total += floats[at + j]!;
  }
  for (let j = 0; j < columns; j++) floats[at + j] = floats[at + j]! * ((weight * scale) / total);
  for (let p = firstPair; p < lastPair; p++) floats[pairColumn(p)] = floats[pairColumn(p)]! - scale * pairWeight(p);
  new Float64Array(memory.memory.buffer, result, 3).set([top, total, positive]);
}
