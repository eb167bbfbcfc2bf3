/** Runs k-means on a sample of the points and assigns every point to its nearest centroid. */

import { throwIfAborted } from '../checks/abort.ts';
import { checkArgument } from '../checks/arguments.ts';
import { checkInteger, checkNumber, checkOneOf } from '../checks/numbers.ts';
import { BOOLEAN, FUNCTION, NUMBER, optionsCheck, required, SIGNAL, STRING } from '../checks/options.ts';
import { ShapeError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import { checkFinite } from '../vectors/check-finite.ts';
import { MATRIX, Matrix } from '../vectors/matrix.ts';
import { type Assignment, assignNearest } from './assign.ts';
import { assignMoved } from './assign-moved.ts';
import { kMeans, type Progress } from './k-means.ts';

/** Options of `trainKMeans`. */
export interface TrainKMeansOptions {
  clusters: number;
  /** Lloyd's iterations at most; default 12, as ScaNN's. */
  iterations?: number;
  /** Default 42. */
  seed?: number;
  /** 'random' (default): distinct points. 'k-means++': with probability ∝ the squared distance from those chosen. */
  initialization?: 'random' | 'k-means++';
  /** Points the centroids are trained on, at most; default all. */
  sampleSize?: number;
  /** Clusters with fewer points than this are re-seeded by splitting a large one; default 1. */
  minClusterSize?: number;
  /** Scale centroids to length 1; default false. */
  spherical?: boolean;
  /** Ends when an iteration lowers the mean squared distance by no more than this share of it; default 1e-5. */
  tolerance?: number;
  signal?: AbortSignal;
  /** Called after each iteration; a signal raised in it ends the training. */
  onProgress?: (progress: Progress) => void;
}

const checkOptions = optionsCheck<TrainKMeansOptions>('trainKMeans', {
  clusters: required(NUMBER),
  iterations: NUMBER,
  seed: NUMBER,
  initialization: STRING,
  sampleSize: NUMBER,
  minClusterSize: NUMBER,
  spherical: BOOLEAN,
  tolerance: NUMBER,
  signal: SIGNAL,
  onProgress: FUNCTION,
});

/** The centroids and the assignment of every point. */
export interface TrainedKMeans extends Assignment {
  /** [k, d]; k is `clusters`, or the number of points where that is smaller. */
  centroids: Matrix;
  /** True when there were fewer points than `clusters`. */
  isReduced: boolean;
  /** [k] points of each cluster. */
  counts: Int32Array;
  iterationsRun: number;
  /** Mean of |x − c|² over all points. */
  meanSquaredDistance: number;
}

/**
 * Train k-means. The centroids are the same for any number of threads.
 *
 * @param points [n, d], n ≥ 1
 * @throws {OptionError} when an option is out of range
 * @throws {ShapeError} when there is no point
 * @throws {NotFiniteError} when a number is NaN or infinite
 * @throws {AbortedError} when the signal is raised
 */
export function trainKMeans(points: Matrix, options: TrainKMeansOptions): TrainedKMeans {
  checkArgument('points', points, MATRIX);
  checkOptions(options);
  const { iterations = 12, seed = 42, sampleSize = points.rows, minClusterSize = 1, spherical = false } = options;
  const { initialization = 'random', tolerance = 1e-5, signal, onProgress } = options;
  const clusters = checkInteger('clusters', options.clusters, 1);
  checkInteger('iterations', iterations, 1);
  checkOneOf('initialization', initialization, ['random', 'k-means++']);
  checkInteger('minClusterSize', minClusterSize, 0);
  checkNumber('tolerance', tolerance, 0);
  if (points.rows === 0) throw new ShapeError('points: expected at least one, got none');
  checkInteger('sampleSize', sampleSize, 1);
  checkFinite('points', points);
  throwIfAborted('k-means', signal);
  const random = new Generator(checkInteger('seed', seed, Number.MIN_SAFE_INTEGER)).fork('train k-means');
  const how = {
    clusters,
    iterations,
    sampleSize,
    initialization,
    minClusterSize,
    isSpherical: spherical,
    tolerance,
    assign: assignMoved(),
    random,
  };
  const run = kMeans(points, how, points.runtime);
  let iterationsRun = 0;
  let state = run.next();
  try {
    for (; !state.done; state = run.next()) {
      iterationsRun++;
      onProgress?.(state.value);
      throwIfAborted('k-means', signal);
    }
  } catch (error) {
    // Ends kMeans, which frees its scratch in `finally`; throws the same error again.
    if (!state.done) run.throw(error);
    throw error;
  }
  const trained = state.value;
  const centroids = new Matrix(trained.count, points.dimensions, points.runtime);
  centroids.data.set(trained.matrix.data);
  trained.free();
  const { assignment, squaredDistances } = assignNearest(points, centroids);
  const counts = new Int32Array(centroids.rows);
  for (const cluster of assignment) counts[cluster]!++;
  const meanSquaredDistance = squaredDistances.reduce((sum, distance) => sum + distance, 0) / points.rows;
  const isReduced = centroids.rows < clusters;
  return { centroids, isReduced, counts, assignment, squaredDistances, iterationsRun, meanSquaredDistance };
}
