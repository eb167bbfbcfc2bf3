/** The members of each cluster, from labels or from centroids. */
import type { Block, Heap } from '../memory/heap.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { Centroids } from './centroids.ts';

/** Members of cluster c: order[begin[c] … begin[c+1]), ascending. */
export interface Members {
  begin: Int32Array;
  order: Int32Array;
}

/** List the members of each cluster. */
export function listMembers(labels: Int32Array, clusters: number): Members {
  const begin = new Int32Array(clusters + 1);
  for (let i = 0; i < labels.length; i++) begin[labels[i]! + 1]!++;
  for (let c = 0; c < clusters; c++) begin[c + 1]! += begin[c]!;
  const next = begin.slice();
  const order = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) order[next[labels[i]!]!++] = i;
  return { begin, order };
}

/** The rows of each cluster: those that are nearest to its centroid. */
export function membersOf(centroids: Centroids, rows: Matrix): Members {
  const { heap } = rows.runtime;
  const [labels, scores] = [heap.allocate(4 * rows.rows), heap.allocate(4 * rows.rows)];
  centroids.assign(rows.offset, rows.rows, labels, scores);
  const members = listMembers(labels.integers(rows.rows), centroids.count);
  for (const block of [labels, scores]) block.free();
  return members;
}

/** A copy of numbers in the memory of the kernels. */
export function copyOf(numbers: Int32Array, heap: Heap): Block {
  const block = heap.allocateUnfilled(4 * numbers.length);
  block.integers(numbers.length).set(numbers);
  return block;
}
