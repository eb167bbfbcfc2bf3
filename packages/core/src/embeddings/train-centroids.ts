/**
 * The centroids of one column or stage of a table: k-means on sampled rows, and the assignment of all rows. With few
 * centroids all are compared (assign-moved.ts), with many only those around a row (near-centroids.ts).
 */
import { assignMoved } from '../clustering/assign-moved.ts';
import type { Centroids } from '../clustering/centroids.ts';
import { type KMeansOptions, kMeans } from '../clustering/k-means.ts';
import { NearCentroids, usesNeighbours } from '../clustering/near-centroids.ts';
import type { Matrix } from '../vectors/matrix.ts';

/** Settings of a training. */
export interface CentroidTraining
  extends Pick<KMeansOptions, 'clusters' | 'iterations' | 'initialization' | 'initial' | 'random'> {
  /** Rows the centroids are trained on, at most; default all. */
  sampleSize?: number;
  /** Awaited after each iteration; what it throws ends the training. */
  onStep: () => Promise<void>;
}

/** Centroids [k, d], and the nearest or nearly nearest one of any rows. */
export type TableCentroids = Pick<Centroids, 'matrix' | 'assign' | 'free'>;

/**
 * Train min(clusters, n) centroids for rows [n, d].
 *
 * @throws {NotFiniteError} when a row of the sample is NaN or infinite
 */
export async function trainCentroids(
  rows: Matrix,
  { sampleSize = rows.rows, onStep, ...how }: CentroidTraining,
): Promise<TableCentroids> {
  const { runtime } = rows;
  let near: NearCentroids | undefined;
  const assign: KMeansOptions['assign'] = usesNeighbours(
    Math.min(sampleSize, rows.rows),
    Math.min(how.clusters, rows.rows),
    rows.dimensions,
  )
    ? (centroids, sample, labels, scores) => {
        near ??= new NearCentroids(centroids, how.random.fork('groups'));
        near.assignSample(sample, labels, scores);
      }
    : assignMoved();
  const run = kMeans(rows, { ...how, sampleSize, minClusterSize: 1, isSpherical: false, assign }, runtime);
  try {
    let state = run.next();
    for (; !state.done; state = run.next()) {
      try {
        await onStep();
      } catch (error) {
        // Interrupted between two iterations: k-means gives back what it holds.
        run.throw(error);
      }
    }
    return near ? nearly(state.value, near) : state.value;
  } catch (error) {
    near?.free();
    throw error;
  }
}

function nearly(centroids: Centroids, near: NearCentroids): TableCentroids {
  near.update();
  return {
    matrix: centroids.matrix,
    assign: (rows, n, labels, scores) => near.assign(rows, n, labels, scores),
    free: () => {
      near.free();
      centroids.free();
    },
  };
}
