/**
 * Sparse CQR for least squares: what training does, on the problem of the theorem.
 *
 *   H_i = [A_i | C_i],  A one 1 per row (the cluster of the row), C one ±1 per row (a fresh count sketch);
 *   M = argmin ‖X·H_i·M − Y‖²;  T = H_i·M;  A_{i+1} = k-means of the rows of T
 *
 * Source: the CCE paper (NeurIPS 2023), algorithm 2. No theorem covers it; its decline is measured instead.
 * Letters as in dense-cqr.ts; k rows for the clusters and k for the sketch.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { instanceOf, NUMBER, optionsCheck, required } from '../checks/options.ts';
import { Generator } from '../random/generator.ts';
import { DENSE, Dense, multiply, squaredNorm } from './dense.ts';
import { factorize, leastSquares, multiplyTransposedQ } from './qr.ts';

/** Lloyd steps a clustering: the assignments of a few hundred rows settle well before. */
const KMEANS_ITERATIONS = 25;

/** Options of a run. */
export interface SparseCqrOptions {
  /** Rows of the codebook, k; the sketch has as many. */
  rows: number;
  steps: number;
  generator: Generator;
}

const checkOptions = optionsCheck<SparseCqrOptions>('sparseCqr', {
  rows: required(NUMBER),
  steps: required(NUMBER),
  generator: required(instanceOf('a Generator', () => Generator)),
});

/** ‖X·T_i − Y‖² / ‖Y‖² for i = 0 … steps; X [n, d1], Y [n, d2]. */
export function sparseCqr(x: Dense, y: Dense, options: SparseCqrOptions): number[] {
  checkArgument('x', x, DENSE);
  checkArgument('y', y, DENSE);
  const { rows, steps, generator } = checkOptions(options);
  checkInteger('rows', rows, 1, x.columns);
  checkInteger('steps', steps, 1);
  const factors = factorize(x, { pivoting: false });
  const target = multiplyTransposedQ(factors, y);
  const constant = squaredNorm(y) - squaredNorm(target);
  const losses: number[] = [];
  let clusters = Int32Array.from({ length: x.columns }, () => generator.below(rows));
  for (let step = 0; step <= steps; step++) {
    const h = Dense.beside(oneHot(clusters, rows), countSketch(x.columns, rows, generator));
    const t = multiply(h, leastSquares(multiply(factors.r, h), target));
    losses.push((squaredNorm(multiply(factors.r, t), target) + constant) / squaredNorm(y));
    clusters = clusterRows(t, rows, generator);
  }
  return losses;
}

function oneHot(clusters: Int32Array, columns: number): Dense {
  const h = new Dense(clusters.length, columns);
  clusters.forEach((cluster, row) => {
    h.column(cluster)[row] = 1;
  });
  return h;
}

function countSketch(rows: number, columns: number, generator: Generator): Dense {
  const h = new Dense(rows, columns);
  for (let row = 0; row < rows; row++) {
    const sign = generator.below(2) === 0 ? -1 : 1;
    h.column(generator.below(columns))[row] = sign;
  }
  return h;
}

/** Lloyd's k-means of the rows of T from distinct random rows; an empty cluster takes the row farthest from its centre. */
function clusterRows(t: Dense, k: number, generator: Generator): Int32Array<ArrayBuffer> {
  const starts = generator.permutation(t.rows).subarray(0, k);
  const centers = Array.from(starts, (row) => Float64Array.from({ length: t.columns }, (_, j) => t.column(j)[row]!));
  const clusters = new Int32Array(t.rows);
  const distances = new Float64Array(t.rows);
  for (let iteration = 0; iteration < KMEANS_ITERATIONS; iteration++) {
    for (let row = 0; row < t.rows; row++) {
      distances[row] = Number.POSITIVE_INFINITY;
      for (let c = 0; c < centers.length; c++) {
        let distance = 0;
        for (let j = 0; j < t.columns; j++) distance += (t.column(j)[row]! - centers[c]![j]!) ** 2;
        if (distance < distances[row]!) {
          distances[row] = distance;
          clusters[row] = c;
        }
      }
    }
    moveCenters(t, clusters, distances, centers);
  }
  return clusters;
}

function moveCenters(t: Dense, clusters: Int32Array, distances: Float64Array, centers: Float64Array[]): void {
  const counts = new Int32Array(centers.length);
  for (const center of centers) center.fill(0);
  clusters.forEach((cluster, row) => {
    counts[cluster] = counts[cluster]! + 1;
    for (let j = 0; j < t.columns; j++) centers[cluster]![j] = centers[cluster]![j]! + t.column(j)[row]!;
  });
  centers.forEach((center, c) => {
    if (counts[c]! > 0) {
      for (let j = 0; j < t.columns; j++) center[j] = center[j]! / counts[c]!;
      return;
    }
    const farthest = distances.indexOf(Math.max(...distances));
    distances[farthest] = 0;
    for (let j = 0; j < t.columns; j++) center[j] = t.column(j)[farthest]!;
  });
}
