/**
 * Prepares candidates for the build: scales them to length 1 for cosine, and computes their mean for squared distances.
 */
import { normalize } from '../../../clustering/k-means.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import type { DistanceMeasure } from '../../contract.ts';
import { CodedRows, prefixes } from './coded-rows.ts';
import type { BuildRows } from './partition.ts';

/**
 * Larger means are not subtracted: x − mean is a finite float32 for every x while |mean| is below 2¹⁰³, half the distance
 * between the two largest numbers of float32, and squares of such numbers overflow in any case.
 */
const MEAN_MAX = 2 ** 103;

/**
 * Prepare rows for the build; `rows` is changed in place.
 *
 * @param prefix the dimensions of the coded rows, where these are not all; they are then a copy, which the build frees
 */
export function prepareRows(rows: Matrix, measure: DistanceMeasure, prefix?: number): BuildRows {
  if (measure === 'cosine') normalize(rows.data, rows.dimensions);
  const copy = prefix === undefined ? undefined : prefixes(rows, prefix, measure === 'cosine');
  const from = copy ?? rows;
  const { rows: n, dimensions: d, data } = from;
  if (measure !== 'squared_l2' || n === 0) return { rows, copy, coded: new CodedRows(from), mean: undefined };
  const sums = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let t = 0; t < d; t++) sums[t]! += data[i * d + t]!;
  const mean = Float32Array.from(sums, (sum) => (Math.abs(sum) < MEAN_MAX * n ? sum / n : 0));
  return { rows, copy, coded: new CodedRows(from, mean), mean };
}
