/**
 * Balanced PCA: a rotation after which the blocks of a product quantizer have about equal variance.
 *
 *   y = R x,   rows of R: eigenvectors of the covariance, distributed over the blocks so that their sums of log λ are about equal
 *
 * Source: eigenvalue allocation of Ge, He, Ke, Sun, "Optimized product quantization", CVPR 2013, 4.2. A rotation keeps
 * inner products and distances, so scores do not change when vectors and queries are both rotated. It saves memory from
 * about 128 dimensions on, where rotated blocks of 3 dimensions are as accurate as blocks of 2 without a rotation.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { NUMBER, objectWith, optionsCheck } from '../checks/options.ts';
import { ShapeError } from '../errors/errors.ts';
import { symmetricEigen } from '../linear-algebra/symmetric-eigen.ts';
import { Generator } from '../random/generator.ts';
import { checkFinite } from '../vectors/check-finite.ts';
import { checkMatrix } from '../vectors/check-matrix.ts';
import { MATRIX, Matrix } from '../vectors/matrix.ts';
import { multiplyRows, multiplyTransposed } from '../vectors/multiply.ts';
import { addRotation, type Rotation, type RotationMethod } from './rotation.ts';

/** Rows multiplied at once, few enough that float32 sums stay accurate and scratch memory small. */
const CHUNK_ROWS = 1024;
/** Variances below this share of the largest are float32's rounding. */
const VARIANCE_MIN = 1e-7;

/** A rotation of d dimensions with what it was computed from. */
export interface BalancedPca extends Rotation {
  /** [d] variance of the training rows along each direction. */
  variances: Float64Array;
}

/** Options of `trainBalancedPca`. */
export interface BalancedPcaOptions {
  /** Consecutive dimensions of a block; default 2. The last block is smaller where they do not divide d. */
  dimensionsPerBlock?: number;
  /** The most rows from which the rotation is computed; default 100,000. */
  sampleSize?: number;
  /** Default 42. */
  seed?: number;
}

const checkOptions = optionsCheck<BalancedPcaOptions>('trainBalancedPca', {
  dimensionsPerBlock: NUMBER,
  sampleSize: NUMBER,
  seed: NUMBER,
});

/**
 * Compute the rotation. It is the same for any number of threads.
 *
 * @param rows [n, d], n ≥ 1: vectors like those that will be coded, for example residuals
 * @throws {OptionError} when an option is out of range
 * @throws {ShapeError} when there is no row
 * @throws {NotFiniteError} when a number is NaN or infinite
 */
export function trainBalancedPca(rows: Matrix, options: BalancedPcaOptions = {}): BalancedPca {
  checkArgument('rows', rows, MATRIX);
  const { dimensionsPerBlock = 2, sampleSize = 100_000, seed = 42 } = checkOptions(options);
  const { rows: n, dimensions: d, runtime } = rows;
  checkInteger('dimensionsPerBlock', dimensionsPerBlock, 1);
  checkInteger('sampleSize', sampleSize, 1);
  if (n === 0 || d === 0) throw new ShapeError(`rows: expected at least one, got ${n} of ${d}`);
  checkFinite('rows', rows);
  const random = new Generator(checkInteger('seed', seed, Number.MIN_SAFE_INTEGER)).fork('pca');
  const sample = random.permutation(n).subarray(0, Math.min(n, sampleSize));
  const { values, vectors } = symmetricEigen(covariance(rows, sample), d);
  const order = deal(values, dimensionsPerBlock);
  const directions = new Matrix(d, 4 * Math.ceil(d / 4), runtime);
  const { data, dimensions: stride } = directions;
  order.forEach((from, to) => {
    for (let t = 0; t < d; t++) data[t * stride + to] = vectors[from * d + t]!;
  });
  return { dimensions: d, directions, variances: Float64Array.from(order, (i) => Math.max(0, values[i]!)) };
}

/**
 * Rotate rows [n, d].
 *
 * @param into the output [n, d]; may be `rows` itself. Default: a new matrix
 * @returns `rotated`
 * @throws {ShapeError} when the rows are not d wide
 */
export function rotateRows(rotation: Rotation, rows: Matrix, into?: Matrix): Matrix {
  checkArgument('rotation', rotation, objectWith('a rotation', 'dimensions', 'directions'));
  checkArgument('rows', rows, MATRIX);
  const { dimensions: d, directions } = rotation;
  if (into !== undefined) checkMatrix('into', into, rows.rows, rows.dimensions);
  const rotated = into ?? new Matrix(rows.rows, rows.dimensions, rows.runtime);
  if (rows.dimensions !== d) throw new ShapeError(`rows: expected ${d} dimensions, got ${rows.dimensions}`);
  const { rows: n, runtime } = rows;
  const stride = directions.dimensions;
  const chunk = new Matrix(Math.min(n, CHUNK_ROWS), stride, runtime);
  for (let first = 0; first < n; first += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, n - first);
    const from = rows.offset + 4 * d * first;
    multiplyRows(runtime, { a: from, aStride: d, m: count, n: d, b: directions.offset, d: stride, c: chunk.offset });
    const [source, target] = [chunk.data, rotated.data];
    for (let i = 0; i < count; i++) target.set(source.subarray(i * stride, i * stride + d), (first + i) * d);
  }
  chunk.free();
  return rotated;
}

/**
 * Balanced PCA as the option `rotation` of an index: `new ScaNN({ rotation: balancedPca.name })`. In Node the name alone
 * is enough; a bundler adds the code only to a program that uses `balancedPca`, `autopilot` or bundles.
 */
export const balancedPca: RotationMethod<'balanced-pca'> = addRotation({
  name: 'balanced-pca',
  train: trainBalancedPca,
  rotate: rotateRows,
});

/** Covariance [d, d] of the chosen rows: float32 within a chunk, float64 between chunks. */
function covariance(rows: Matrix, sample: Int32Array): Float64Array {
  const { dimensions: d, runtime } = rows;
  const stride = 4 * Math.ceil(d / 4);
  const from = rows.data;
  const mean = new Float64Array(d);
  for (const row of sample) for (let t = 0; t < d; t++) mean[t]! += from[row * d + t]!;
  for (let t = 0; t < d; t++) mean[t]! /= sample.length;
  const chunk = new Matrix(CHUNK_ROWS, stride, runtime);
  const product = new Matrix(d, stride, runtime);
  const sums = new Float64Array(d * d);
  for (let first = 0; first < sample.length; first += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, sample.length - first);
    const part = product.data.fill(0);
    const to = chunk.data;
    for (let i = 0; i < count; i++) {
      const row = sample[first + i]! * d;
      for (let t = 0; t < d; t++) to[i * stride + t] = from[row + t]! - mean[t]!;
    }
    const { offset } = chunk;
    multiplyTransposed(runtime, {
      a: offset,
      aStride: stride,
      m: count,
      n: d,
      b: offset,
      d: stride,
      c: product.offset,
    });
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) sums[i * d + j]! += part[i * stride + j]!;
  }
  chunk.free();
  product.free();
  for (let i = 0; i < sums.length; i++) sums[i]! /= sample.length;
  return sums;
}

/** Distribute descending values over the blocks: each goes to the block with the least sum of logs that has room. */
function deal(values: Float64Array, dimensionsPerBlock: number): number[] {
  const d = values.length;
  const floor = VARIANCE_MIN * values[0]!;
  const blocks = Array.from({ length: Math.ceil(d / dimensionsPerBlock) }, (_, b) => ({
    members: [] as number[],
    room: Math.min(dimensionsPerBlock, d - b * dimensionsPerBlock),
    sum: 0,
  }));
  for (let i = 0; i < d; i++) {
    const open = blocks.filter(({ members, room }) => members.length < room);
    const least = open.reduce((best, block) => (block.sum < best.sum ? block : best));
    least.members.push(i);
    // Relative to the floor, logs are at least 0, so every value increases the sum of its block.
    least.sum += floor > 0 ? Math.log(Math.max(values[i]!, floor) / floor) : 0;
  }
  return blocks.flatMap(({ members }) => members);
}
