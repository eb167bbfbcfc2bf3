/**
 * k-means by Lloyd's iterations on a sample, as ScaNN's partitioner trains it (k_means, gmm_utils): squared distances,
 * centroids summed in float64, small clusters re-seeded by splitting a large one.
 */
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator as Random } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { Centroids } from './centroids.ts';

/** Options of `kMeans`. */
export interface KMeansOptions {
  clusters: number;
  /** Lloyd's iterations; ScaNN's default is 12. */
  iterations: number;
  /** Rows the centroids are trained on, at most. */
  sampleSize: number;
  /** 'random': distinct rows of the sample. 'k-means++': each next one with probability ∝ its squared distance. */
  initialization: 'random' | 'k-means++';
  /** Clusters with fewer of the rows than this are re-seeded. */
  minClusterSize: number;
  /** Centroids are scaled to length 1: for rows of length 1. */
  isSpherical: boolean;
  random: Random;
}

/** Distance of a new seed from the centroid it splits, relative to the way to a random member: far below any rounding of use. */
const SPLIT = 1e-3;
/** Rows looked at a cluster by k-means++: enough to choose well, few enough to keep the start cheaper than an iteration. */
const PLUS_PLUS_ROWS = 8;

/** A step done of a computation with several. */
export interface Progress {
  step: string;
  /** Steps done and steps in all. */
  done: number;
  total: number;
}

/**
 * Train centroids for rows [n, d]; yields after each iteration.
 *
 * @returns centroids, min(clusters, distinct sample rows as drawn) of them
 */
export function* kMeans(rows: Matrix, options: KMeansOptions, runtime: Runtime): Generator<Progress, Centroids> {
  const { iterations, isSpherical, random } = options;
  const n = rows.rows;
  const d = rows.dimensions;
  const clusters = Math.min(options.clusters, n);
  const size = Math.min(n, Math.max(options.sampleSize, clusters));
  const sample = sampleRows(rows, size, random.fork('sample'), runtime);
  const centroids = new Centroids(clusters, d, runtime);
  const labels = runtime.heap.allocate(4 * size);
  const scores = runtime.heap.allocate(4 * size);
  try {
    const data = sample.data.slice();
    if (options.initialization === 'random') centroids.matrix.data.set(data.subarray(0, clusters * d));
    else seedPlusPlus(data, size, d, clusters, centroids.matrix.data, random.fork('k-means++'));
    const minimum = Math.min(options.minClusterSize * (size / n), size / clusters);
    for (let iteration = 0; iteration < iterations; iteration++) {
      centroids.pack();
      centroids.assign(sample.offset, size, labels, scores);
      const own = labels.integers(size).slice();
      const counts = moveCentroids(data, own, d, centroids.matrix.data, clusters);
      if (iteration < iterations - 1) {
        reseedSmall(data, own, d, centroids.matrix.data, counts, minimum, random.fork('split', iteration));
      }
      if (isSpherical) normalize(centroids.matrix.data, d);
      yield { step: 'k-means', done: iteration + 1, total: iterations };
    }
    centroids.pack();
    return centroids;
  } finally {
    sample.free();
    labels.free();
    scores.free();
  }
}

/** Distinct rows in random order; all of them where the sample is the whole. */
function sampleRows(rows: Matrix, size: number, random: Random, runtime: Runtime): Matrix {
  const d = rows.dimensions;
  const sample = new Matrix(size, d, runtime);
  const from = rows.data;
  const to = sample.data;
  const order = random.permutation(rows.rows);
  for (let i = 0; i < size; i++) to.set(from.subarray(order[i]! * d, order[i]! * d + d), i * d);
  return sample;
}

function moveCentroids(
  data: Float32Array,
  labels: Int32Array,
  d: number,
  centroids: Float32Array,
  clusters: number,
): Int32Array {
  const sums = new Float64Array(clusters * d);
  const counts = new Int32Array(clusters);
  for (let i = 0; i < labels.length; i++) {
    const to = labels[i]! * d;
    counts[labels[i]!]!++;
    for (let t = 0; t < d; t++) sums[to + t]! += data[i * d + t]!;
  }
  for (let c = 0; c < clusters; c++) {
    if (counts[c] === 0) continue;
    for (let t = 0; t < d; t++) centroids[c * d + t] = sums[c * d + t]! / counts[c]!;
  }
  return counts;
}

/** Each cluster below the minimum becomes a neighbour of one of the largest, so that the next iteration splits that one. */
function reseedSmall(
  data: Float32Array,
  labels: Int32Array,
  d: number,
  centroids: Float32Array,
  counts: Int32Array,
  minimum: number,
  random: Random,
): void {
  const small = [...counts.keys()].filter((c) => counts[c]! < Math.max(1, minimum));
  if (small.length === 0) return;
  const large = [...counts.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, small.length);
  const chosen = new Map<number, number>();
  for (const c of large) chosen.set(c, random.below(Math.max(1, counts[c]!)));
  const members = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    const left = chosen.get(labels[i]!);
    if (left === undefined || left < 0) continue;
    if (left === 0) members.set(labels[i]!, i);
    chosen.set(labels[i]!, left - 1);
  }
  small.forEach((c, i) => {
    const big = large[i]!;
    const member = members.get(big);
    if (member === undefined || big === c || counts[big]! <= counts[c]!) return;
    for (let t = 0; t < d; t++) {
      const centre = centroids[big * d + t]!;
      centroids[c * d + t] = centre + SPLIT * (data[member * d + t]! - centre);
    }
  });
}

function seedPlusPlus(
  data: Float32Array,
  size: number,
  d: number,
  clusters: number,
  centroids: Float32Array,
  random: Random,
): void {
  const rows = Math.min(size, Math.max(clusters, PLUS_PLUS_ROWS * clusters));
  const distances = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  let next = random.below(rows);
  for (let c = 0; c < clusters; c++) {
    centroids.set(data.subarray(next * d, next * d + d), c * d);
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      let square = 0;
      for (let t = 0; t < d; t++) square += (data[i * d + t]! - centroids[c * d + t]!) ** 2;
      if (square < distances[i]!) distances[i] = square;
      sum += distances[i]!;
    }
    // Where every row is a centroid already, the rest repeat rows in order.
    let left = random.uniform() * sum;
    next = (c + 1) % rows;
    if (sum > 0) {
      for (next = 0; next < rows - 1 && left >= distances[next]!; next++) left -= distances[next]!;
    }
  }
}

/** Scale rows of d to length 1; zero rows stay. */
export function normalize(data: Float32Array, d: number): void {
  for (let at = 0; at < data.length; at += d) {
    let square = 0;
    for (let t = 0; t < d; t++) square += data[at + t]! ** 2;
    if (square === 0) continue;
    const inverse = 1 / Math.sqrt(square);
    for (let t = 0; t < d; t++) data[at + t]! *= inverse;
  }
}
