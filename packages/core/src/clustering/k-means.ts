/**
 * k-means by Lloyd's iterations on a sample, as ScaNN's partitioner trains it (k_means, gmm_utils): squared distances,
 * centroids summed in float64, small clusters re-seeded by splitting a large one.
 *
 * Every iteration assigns the sample to its nearest centroids over the pool, then moves each centroid to the mean of its
 * members. Sums run in the order of rows, so any number of threads gives the same centroids.
 */
import type { Block } from '../memory/heap.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator as Random } from '../random/generator.ts';
import { checkFiniteRows } from '../vectors/check-finite.ts';
import { Matrix } from '../vectors/matrix.ts';
import { Centroids } from './centroids.ts';
import { listMembers, type Members } from './members.ts';
import { seedPlusPlus } from './plus-plus.ts';

/**
 * Writes labels and scores of rows, as `Centroids.assign`; in k-means those of the last step are still there.
 *
 * @param R the rows: a matrix, or where they are
 */
export type AssignRows<R> = (centroids: Centroids, rows: R, labels: Block, scores: Block, first?: number) => void;

/** An assignment step of k-means. */
export type AssignSample = AssignRows<Matrix>;

/** Options of `kMeans`. */
export interface KMeansOptions {
  clusters: number;
  /** Lloyd's iterations at most; ScaNN's default is 12. */
  iterations: number;
  /** Rows the centroids are trained on, at most. */
  sampleSize: number;
  /** 'random': distinct rows of the sample. 'k-means++': with probability ∝ the squared distance from those chosen. */
  initialization: 'random' | 'k-means++';
  /** [clusters, d] centroids to start from, in place of `initialization`. */
  initial?: Float32Array | undefined;
  /** Clusters with fewer of the rows than this are re-seeded. */
  minClusterSize: number;
  /** True to scale centroids to length 1, for rows of length 1. */
  isSpherical: boolean;
  /** Ends when an iteration lowers the mean squared distance by no more than this share of it; default 1e-5. */
  tolerance?: number;
  /** The assignment step; default: compares all rows with all centroids. */
  assign?: AssignSample | undefined;
  random: Random;
}

/** Distance of a new seed from the centroid that it splits, as a share of the distance to a random member. */
const SPLIT = 1e-3;
/** ScaNN's convergence_epsilon: with a smaller gain an iteration hardly moves the centroids. */
const TOLERANCE = 1e-5;
/** Clusters a thread claims when centroids move. */
const GRAIN = 16;

/** Rows that a sample is read from, one at a time. */
export type SampledRows = Pick<Matrix, 'rows' | 'dimensions' | 'row'>;

/** The progress of a computation after one of its steps. */
export interface Progress {
  step: string;
  /** Steps done and steps in all. */
  done: number;
  total: number;
  /** Mean of |x − c|² over the sample before the centroids moved; only for k-means. */
  meanSquaredDistance?: number;
}

/**
 * Train centroids for rows [n, d]; yields after each iteration.
 *
 * @returns min(clusters, n) centroids; equal rows may lead to equal centroids
 * @throws {NotFiniteError} when a row of the sample is NaN or infinite
 */
export function* kMeans(rows: SampledRows, options: KMeansOptions, runtime: Runtime): Generator<Progress, Centroids> {
  const { iterations, isSpherical, random, tolerance = TOLERANCE } = options;
  const { heap } = runtime;
  const { rows: n, dimensions: d } = rows;
  const clusters = Math.min(options.clusters, n);
  const size = Math.min(n, Math.max(options.sampleSize, clusters));
  const sample = sampleRows(rows, size, random.fork('sample'), runtime);
  const centroids = new Centroids(clusters, d, runtime);
  const labels = heap.allocate(4 * size);
  const scores = heap.allocate(4 * size);
  let isDone = false;
  try {
    if (options.initial) centroids.matrix.data.set(options.initial.subarray(0, clusters * d));
    else if (options.initialization === 'random') centroids.matrix.data.set(sample.data.subarray(0, clusters * d));
    else seedPlusPlus(sample, centroids.matrix, random.fork('k-means++'), runtime);
    if (isSpherical) normalize(centroids.matrix.data, d);
    const { data } = sample;
    let squares = 0;
    for (let i = 0; i < data.length; i++) squares += data[i]! * data[i]!;
    const minimum = Math.min(options.minClusterSize * (size / n), size / clusters);
    let before = Number.POSITIVE_INFINITY;
    for (let iteration = 0; iteration < iterations; iteration++) {
      centroids.pack();
      if (options.assign) options.assign(centroids, sample, labels, scores);
      else centroids.assign(sample.offset, size, labels, scores);
      const near = scores.floats(size);
      let sum = 0;
      for (let i = 0; i < size; i++) sum += near[i]!;
      const meanSquaredDistance = Math.max(0, (squares - 2 * sum) / size);
      const members = listMembers(labels.integers(size), clusters);
      moveCentroids(sample, members, centroids.matrix, runtime);
      const isLast = iteration === iterations - 1;
      const split = isLast
        ? 0
        : splitLarge(sample, members, centroids.matrix, minimum, random.fork('split', iteration));
      if (isSpherical) normalize(centroids.matrix.data, d);
      yield { step: 'k-means', done: iteration + 1, total: iterations, meanSquaredDistance };
      if (split === 0 && before - meanSquaredDistance <= tolerance * meanSquaredDistance) break;
      before = split > 0 ? Number.POSITIVE_INFINITY : meanSquaredDistance;
    }
    centroids.pack();
    isDone = true;
    return centroids;
  } finally {
    // This also runs when the caller ends the generator early; it has not received the centroids then.
    if (!isDone) centroids.free();
    sample.free();
    labels.free();
    scores.free();
  }
}

/** `size` distinct rows in random order. */
function sampleRows(rows: SampledRows, size: number, random: Random, runtime: Runtime): Matrix {
  const d = rows.dimensions;
  const sample = new Matrix(size, d, runtime);
  const to = sample.data;
  const order = random.permutation(rows.rows);
  for (let i = 0; i < size; i++) to.set(rows.row(order[i]!), i * d);
  try {
    checkFiniteRows('k-means', runtime, sample, (row) => order[row]!);
  } catch (error) {
    sample.free();
    throw error;
  }
  return sample;
}

function moveCentroids(sample: Matrix, { begin, order }: Members, centroids: Matrix, { heap, pool }: Runtime): void {
  const d = sample.dimensions;
  const clusterBegin = heap.allocate(4 * begin.length);
  const list = heap.allocate(4 * order.length);
  const scratch = heap.allocate(8 * (d + 1) * pool.threads);
  clusterBegin.integers(begin.length).set(begin);
  list.integers(order.length).set(order);
  const to = [clusterBegin.offset, list.offset, centroids.offset, scratch.offset] as const;
  pool.run('meanOfMembers', centroids.rows, GRAIN, sample.offset, d, ...to);
  for (const block of [clusterBegin, list, scratch]) block.free();
}

/**
 * Move the centroid of each cluster below the minimum next to that of one of the largest clusters, so that the next
 * iteration splits the large cluster. Returns the number of centroids moved.
 */
function splitLarge(sample: Matrix, members: Members, centroids: Matrix, minimum: number, random: Random): number {
  const { begin, order } = members;
  const d = sample.dimensions;
  const sizes = Array.from({ length: centroids.rows }, (_, c) => begin[c + 1]! - begin[c]!);
  const small = [...sizes.keys()].filter((c) => sizes[c]! < Math.max(1, minimum));
  if (small.length === 0) return 0;
  const large = [...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  let split = 0;
  small.forEach((c, i) => {
    const big = large[i]!;
    if (sizes[big]! <= sizes[c]!) return;
    const member = sample.row(order[begin[big]! + random.below(sizes[big]!)]!);
    const centre = centroids.row(big);
    const moved = centroids.row(c);
    for (let t = 0; t < d; t++) moved[t] = centre[t]! + SPLIT * (member[t]! - centre[t]!);
    split++;
  });
  return split;
}

/** Scale rows of d numbers to length 1 in place; rows of zeros do not change. */
export function normalize(data: Float32Array, d: number): void {
  for (let at = 0; at < data.length; at += d) {
    let square = 0;
    for (let t = 0; t < d; t++) square += data[at + t]! ** 2;
    if (square === 0) continue;
    const inverse = 1 / Math.sqrt(square);
    for (let t = 0; t < d; t++) data[at + t]! *= inverse;
  }
}
