/**
 * Rows as they are coded: less the mean for squared distances, and rotated where the index has a rotation. Scores are of the
 * unchanged rows; neither step changes the order of the candidates.
 */
import type { Centroids } from '../../../clustering/centroids.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { type BalancedPca, rotateRows, trainBalancedPca } from '../../../quantization/pca.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import { type Leaves, rowStride } from '../leaves.ts';
import type { ScannSettings } from '../options.ts';

/** Residuals a rotation is found from: some for each number of a covariance of a thousand dimensions. */
const SAMPLE = 20_000;

/** The rotation that balances the blocks of residuals. */
export function trainRotation(
  coded: Matrix,
  centroids: Centroids,
  { dimensionsPerBlock, seed }: ScannSettings,
  runtime: Runtime,
): BalancedPca {
  const { rows: n, dimensions: d } = coded;
  const size = Math.min(n, SAMPLE);
  const sample = new Matrix(size, d, runtime);
  const labels = runtime.heap.allocate(4 * size);
  const scores = runtime.heap.allocate(4 * size);
  try {
    const from = coded.data;
    const to = sample.data;
    for (let i = 0; i < size; i++) {
      const at = Math.floor((i * n) / size) * d;
      to.set(from.subarray(at, at + d), i * d);
    }
    centroids.assign(sample.offset, size, labels, scores);
    const own = labels.integers(size);
    const centres = centroids.matrix.data;
    const residuals = sample.data;
    for (let i = 0; i < size; i++) for (let t = 0; t < d; t++) residuals[i * d + t]! -= centres[own[i]! * d + t]!;
    return trainBalancedPca(sample, { dimensionsPerBlock, sampleSize: SAMPLE, seed });
  } finally {
    sample.free();
    labels.free();
    scores.free();
  }
}

/** Rows [n, d] as scored to rows as coded: the same matrix where there is nothing to do, else one that the caller frees. */
export function codedRows(leaves: Leaves, rows: Matrix): Matrix {
  const { shape, parts, runtime } = leaves;
  if (!shape.hasMean && !shape.hasRotation) return rows;
  const d = shape.dimensions;
  const coded = new Matrix(rows.rows, d, runtime);
  const to = coded.data;
  to.set(rows.data);
  if (shape.hasMean) {
    const mean = leaves.floats('mean');
    for (let i = 0; i < to.length; i++) to[i]! -= mean[i % d]!;
  }
  if (!shape.hasRotation) return coded;
  return rotateRows({ dimensions: d, directions: new Matrix(d, rowStride(d), runtime, parts.rotation!) }, coded, coded);
}
