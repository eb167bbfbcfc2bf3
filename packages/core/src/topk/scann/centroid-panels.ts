/**
 * Centroids as the search kernel reads them: int16 in panels of 16, two dimensions side by side, so that one instruction
 * multiplies a pair of dimensions of four centroids. Scale: 32,000 / max |c| (assembly/centroids.ts says why).
 */
import { INT16_NORM, packInt16, squaredNorm } from '../../clustering/int16-panels.ts';
import type { Block } from '../../memory/heap.ts';
import type { Runtime } from '../../parallel/runtime.ts';

/** Centroids in a panel. */
export const PANEL_CENTROIDS = 16;

/** Packed centroids. */
export interface CentroidPanels {
  readonly panels: number;
  readonly block: Block;
  /** The value of one unit of int16. */
  readonly unscale: number;
  /** |c|² of each centroid. */
  readonly squares: Float64Array;
}

/** Pairs of dimensions in a panel, an even number: the kernel takes two at a time. */
export function pairsOf(dimensions: number): number {
  return 2 * Math.ceil(dimensions / 4);
}

/** Pack `count` centroids [count, d] in the given order. Entries past the end are zero. */
export function packCentroids(runtime: Runtime, centroids: Float32Array, count: number, d: number): CentroidPanels {
  const pairs = pairsOf(d);
  const panels = Math.ceil(count / PANEL_CENTROIDS);
  const block = runtime.heap.allocate(panels * pairs * PANEL_CENTROIDS * 4);
  const squares = new Float64Array(count);
  for (let c = 0; c < count; c++) squares[c] = squaredNorm(centroids, c * d, d);
  let largest = 0;
  for (let c = 0; c < count; c++) largest = Math.max(largest, squares[c]!);
  const scale = largest > 0 ? INT16_NORM / Math.sqrt(largest) : 0;
  const to = new Int16Array(runtime.heap.memory.memory.buffer, block.offset, panels * pairs * PANEL_CENTROIDS * 2);
  for (let c = 0; c < count; c++) {
    const first = Math.floor(c / PANEL_CENTROIDS) * pairs * PANEL_CENTROIDS * 2 + (c % PANEL_CENTROIDS) * 2;
    packInt16(to, first, PANEL_CENTROIDS, centroids, c * d, d, scale);
  }
  return { panels, block, unscale: scale > 0 ? 1 / scale : 0, squares };
}

/** One addend per centroid; −∞ for the entries past the last centroid, so that they are never chosen. */
export function centroidAddends(runtime: Runtime, panels: number, addends: ArrayLike<number>): Block {
  const block = runtime.heap.allocate(panels * PANEL_CENTROIDS * 4);
  const to = block.floats(panels * PANEL_CENTROIDS).fill(Number.NEGATIVE_INFINITY);
  to.set(addends);
  return block;
}
