/** Assigns points to their nearest centroids and computes the distances. */
import { checkArgument } from '../checks/arguments.ts';
import { ShapeError } from '../errors/errors.ts';
import { checkFinite } from '../vectors/check-finite.ts';
import { MATRIX, type Matrix } from '../vectors/matrix.ts';
import { Centroids } from './centroids.ts';

/** Each point's nearest centroid. */
export interface Assignment {
  /** [points]; the lower number where two are equally near. */
  assignment: Int32Array;
  /** [points] |x − c|² of that centroid, summed in float64 from the differences, which avoids cancellation. */
  squaredDistances: Float32Array;
}

/**
 * The nearest centroid of each point by ⟨x, c⟩ − |c|²/2 in float32.
 *
 * @param points [n, d]
 * @param centroids [k, d] of the same runtime, k ≥ 1
 * @throws {ShapeError} when widths differ or there is no centroid
 * @throws {NotFiniteError} when a number is NaN or infinite
 */
export function assignNearest(points: Matrix, centroids: Matrix): Assignment {
  checkArgument('points', points, MATRIX);
  checkArgument('centroids', centroids, MATRIX);
  const { rows: n, dimensions: d, runtime } = points;
  if (centroids.dimensions !== d || centroids.rows === 0) {
    throw new ShapeError(
      `centroids: expected at least one of ${d} dimensions, got ${centroids.rows} of ${centroids.dimensions}`,
    );
  }
  checkFinite('points', points);
  checkFinite('centroids', centroids);
  const packed = new Centroids(centroids.rows, d, runtime);
  const labels = runtime.heap.allocate(4 * n);
  const scores = runtime.heap.allocate(4 * n);
  try {
    packed.matrix.data.set(centroids.data);
    packed.pack();
    packed.assign(points.offset, n, labels, scores);
    const assignment = labels.integers(n).slice();
    return { assignment, squaredDistances: squaredDistancesOf(points, centroids, assignment) };
  } finally {
    for (const block of [packed, labels, scores]) block.free();
  }
}

function squaredDistancesOf(points: Matrix, centroids: Matrix, assignment: Int32Array): Float32Array {
  const d = points.dimensions;
  const [data, centers] = [points.data, centroids.data];
  const distances = new Float32Array(points.rows);
  for (let i = 0, at = 0; i < distances.length; i++) {
    const center = assignment[i]! * d;
    let sum = 0;
    for (let t = 0; t < d; t++, at++) {
      const difference = data[at]! - centers[center + t]!;
      sum += difference * difference;
    }
    distances[i] = sum;
  }
  return distances;
}
