/**
 * Centroids as the search kernel reads them: int16 in panels of 16, two dimensions side by side, so that one instruction
 * multiplies a pair of dimensions of four centroids. Scale: 32,000 / max |c| (assembly/centroids.ts says why).
 */
import type { Block } from '../../memory/heap.ts';
import type { Runtime } from '../../parallel/runtime.ts';

/** Centroids in a panel. */
export const PANEL_CENTROIDS = 16;
/** The largest norm of a centroid in int16. */
const NORM = 32_000;

/** Packed centroids. */
export interface CentroidPanels {
  readonly panels: number;
  readonly block: Block;
  /** What a unit of int16 is worth. */
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
  const scale = largest > 0 ? NORM / Math.sqrt(largest) : 0;
  const to = new Int16Array(runtime.heap.memory.memory.buffer, block.offset, panels * pairs * PANEL_CENTROIDS * 2);
  for (let c = 0; c < count; c++) {
    const first = Math.floor(c / PANEL_CENTROIDS) * pairs * PANEL_CENTROIDS * 2 + (c % PANEL_CENTROIDS) * 2;
    packCentroid(to, first, centroids, c * d, d, scale);
  }
  return { panels, block, unscale: scale > 0 ? 1 / scale : 0, squares };
}

// Functions of their own, called once a centroid: a loop that runs once in a process's life stays with the interpreter,
// where it took milliseconds that queries waited for.

function squaredNorm(centroids: Float32Array, at: number, d: number): number {
  let square = 0;
  for (let t = at; t < at + d; t++) square += centroids[t]! * centroids[t]!;
  return square;
}

function packCentroid(to: Int16Array, first: number, from: Float32Array, at: number, d: number, scale: number): void {
  for (let t = 0; t < d; t++) to[first + (t >> 1) * PANEL_CENTROIDS * 2 + (t & 1)] = Math.round(from[at + t]! * scale);
}

/** Addends of centroids, one each; −∞ past the end, so that what is not there is never chosen. */
export function centroidAddends(runtime: Runtime, panels: number, addends: ArrayLike<number>): Block {
  const block = runtime.heap.allocate(panels * PANEL_CENTROIDS * 4);
  const to = block.floats(panels * PANEL_CENTROIDS).fill(Number.NEGATIVE_INFINITY);
  to.set(addends);
  return block;
}
