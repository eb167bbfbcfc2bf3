/**
 * Prepares candidates for the build: scales them to length 1 for cosine, and computes their mean for squared distances.
 */
import { normalize } from '../../../clustering/k-means.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import type { DistanceMeasure } from '../../contract.ts';
import { CodedRows } from './coded-rows.ts';
import type { BuildRows } from './partition.ts';

/** Prepare rows for the build; `rows` is changed in place. */
export function prepareRows(rows: Matrix, measure: DistanceMeasure): BuildRows {
  const { rows: n, dimensions: d } = rows;
  if (measure === 'cosine') normalize(rows.data, d);
  if (measure !== 'squared_l2' || n === 0) return { rows, coded: new CodedRows(rows), mean: undefined };
  const sums = new Float64Array(d);
  const { data } = rows;
  for (let i = 0; i < n; i++) for (let t = 0; t < d; t++) sums[t]! += data[i * d + t]!;
  const mean = Float32Array.from(sums, (sum) => sum / n);
  return { rows, coded: new CodedRows(rows, mean), mean };
}
