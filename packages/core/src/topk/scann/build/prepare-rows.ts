/** Prepares candidates for the build: scales them to length 1 for cosine, subtracts the mean for squared distances. */
import { normalize } from '../../../clustering/k-means.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import type { DistanceMeasure } from '../options.ts';
import type { BuildRows } from './partition.ts';

/** Rows as scored and as coded. `rows` is changed in place; `coded` may be the same matrix. */
export function prepareRows(rows: Matrix, measure: DistanceMeasure): BuildRows {
  const { rows: n, dimensions: d } = rows;
  if (measure === 'cosine') normalize(rows.data, d);
  if (measure !== 'squared_l2' || n === 0) return { rows, coded: rows, mean: undefined };
  const sums = new Float64Array(d);
  const { data } = rows;
  for (let i = 0; i < n; i++) for (let t = 0; t < d; t++) sums[t]! += data[i * d + t]!;
  const mean = Float32Array.from(sums, (sum) => sum / n);
  const coded = new Matrix(n, d, rows.runtime);
  const to = coded.data;
  for (let i = 0; i < n; i++) for (let t = 0; t < d; t++) to[i * d + t] = data[i * d + t]! - mean[t]!;
  return { rows, coded, mean };
}
