/**
 * The upper tree clusters the centroids of L leaves into about 1.5·√L groups. A query scores the centroids of the
 * groups, then only the leaves of the best groups. Leaves are renumbered so that the leaves of a group are consecutive.
 */
import type { Centroids } from '../../../clustering/centroids.ts';
import { kMeans, type Progress } from '../../../clustering/k-means.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import type { Generator as Random } from '../../../random/generator.ts';

/**
 * Groups divided by √leaves: with this many, scoring the groups costs about as much as scoring the leaves of the opened
 * groups.
 */
const GROUPS_PER_ROOT = 1.5;
/**
 * From this many leaves on, the upper tree saves more time than it costs; a thousand int16 centroids are scored in a
 * microsecond.
 */
export const UPPER_FROM = 4096;
/** Iterations of k-means: enough to converge, and cheap, as the points are few. */
const ITERATIONS = 16;

/** Groups of leaves. */
export interface UpperTree {
  groups: number;
  /** [groups, d]. */
  centroids: Float32Array;
  /** [groups + 1] first leaf of each group. */
  ranges: Int32Array;
}

/** The number of groups of so many leaves. */
export function upperGroupsOf(leaves: number): number {
  return Math.max(1, Math.min(leaves, Math.round(GROUPS_PER_ROOT * Math.sqrt(leaves))));
}

/** Group the leaves and renumber them in place. */
export function* groupLeaves(centroids: Centroids, random: Random, runtime: Runtime): Generator<Progress, UpperTree> {
  const { count, matrix } = centroids;
  const d = matrix.dimensions;
  const clusters = upperGroupsOf(count);
  const upper = yield* kMeans(
    matrix,
    {
      clusters,
      iterations: ITERATIONS,
      sampleSize: count,
      initialization: 'random',
      minClusterSize: 1,
      isSpherical: false,
      random,
    },
    runtime,
  );
  const labels = runtime.heap.allocate(4 * count);
  const scores = runtime.heap.allocate(4 * count);
  upper.assign(matrix.offset, count, labels, scores);
  const own = labels.integers(count);
  const order = [...own.keys()].sort((a, b) => own[a]! - own[b]! || a - b);
  const ranges = new Int32Array(clusters + 1);
  for (const group of own) ranges[group + 1]!++;
  for (let g = 0; g < clusters; g++) ranges[g + 1]! += ranges[g]!;
  const before = matrix.data.slice();
  order.forEach((leaf, i) => {
    matrix.data.set(before.subarray(leaf * d, leaf * d + d), i * d);
  });
  centroids.pack();
  const result = { groups: clusters, centroids: upper.matrix.data.slice(), ranges };
  labels.free();
  scores.free();
  upper.free();
  return result;
}
