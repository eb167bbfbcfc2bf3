/**
 * Rows in the form in which they are coded: the mean is subtracted for squared distances, and they are rotated where
 * the index has a rotation. Exact scores use the unchanged rows; neither step changes the order of the candidates.
 *
 * A build subtracts the mean from a piece of the rows at a time, so that no second copy of all rows is in memory. A
 * rotation costs d² multiplications per row, so rotated rows are kept until the build ends.
 */
import type { Centroids } from '../../../clustering/centroids.ts';
import { normalize } from '../../../clustering/k-means.ts';
import type { Block } from '../../../memory/heap.ts';
import { type Rotation, rotationNamed } from '../../../quantization/rotation.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import { codedDimensions, type Leaves, rowStride } from '../leaves.ts';
import type { ScannSettings } from '../settings.ts';

/** Residuals from which a rotation is computed: 20 per dimension at 1,000 dimensions. */
export const ROTATION_SAMPLE = 20_000;
/** Rows of a piece: enough work for all threads in little memory. */
export const PIECE_ROWS = 4_096;

/** A run of rows or of copies of rows: item i of it is item `first` + i of all. */
export interface Piece {
  first: number;
  count: number;
  /** Byte offset of the rows, and of the row number of each copy; 0: copy i is row i. */
  rows: number;
  copyRow: number;
}

/** The rows of a build as they are coded. */
export class CodedRows {
  readonly rows: number;
  readonly dimensions: number;
  readonly #matrix: Matrix;
  /** [d] the mean that is subtracted; undefined: the matrix holds coded rows. */
  readonly #mean: Float32Array | undefined;
  readonly #row: Float32Array;

  constructor(matrix: Matrix, mean?: Float32Array) {
    this.rows = matrix.rows;
    this.dimensions = matrix.dimensions;
    this.#matrix = matrix;
    this.#mean = mean;
    this.#row = new Float32Array(matrix.dimensions);
  }

  /** All coded rows; undefined where the mean is subtracted piece by piece. */
  get matrix(): Matrix | undefined {
    return this.#mean ? undefined : this.#matrix;
  }

  /** A row, valid until the next call. */
  row(index: number): Float32Array {
    const row = this.#matrix.row(index);
    const mean = this.#mean;
    if (!mean) return row;
    const centred = this.#row;
    for (let t = 0; t < row.length; t++) centred[t] = row[t]! - mean[t]!;
    return centred;
  }

  /** Visit `count` rows, or the copies that `copyRow` lists: all at once, or in pieces that are centred first. */
  forEachPiece(count: number, copyRow: Block | undefined, visit: (piece: Piece) => void): void {
    if (!this.#mean) {
      visit({ first: 0, count, rows: this.#matrix.offset, copyRow: copyRow?.offset ?? 0 });
      return;
    }
    const d = this.dimensions;
    const piece = new Matrix(Math.min(count, PIECE_ROWS), d, this.#matrix.runtime);
    try {
      for (let first = 0; first < count; first += PIECE_ROWS) {
        const size = Math.min(PIECE_ROWS, count - first);
        this.#centre(first, size, copyRow?.integers(count), piece.data);
        visit({ first, count: size, rows: piece.offset, copyRow: 0 });
      }
    } finally {
      piece.free();
    }
  }

  /** All rows in a matrix that the caller frees. */
  toMatrix(): Matrix {
    const all = new Matrix(this.rows, this.dimensions, this.#matrix.runtime);
    if (this.#mean) this.#centre(0, this.rows, undefined, all.data);
    else all.data.set(this.#matrix.data);
    return all;
  }

  #centre(first: number, count: number, copyRow: Int32Array | undefined, to: Float32Array): void {
    const d = this.dimensions;
    const from = this.#matrix.data;
    const mean = this.#mean!;
    for (let i = 0; i < count; i++) {
      const at = d * (copyRow ? copyRow[first + i]! : first + i);
      for (let t = 0; t < d; t++) to[i * d + t] = from[at + t]! - mean[t]!;
    }
  }
}

/** The residuals of at most `count` rows, evenly spaced, in a matrix that the caller frees. */
export function sampledResiduals(coded: CodedRows, centroids: Centroids, count: number): Matrix {
  const { rows: n, dimensions: d } = coded;
  const { runtime } = centroids.matrix;
  const size = Math.min(n, count);
  const sample = new Matrix(size, d, runtime);
  const labels = runtime.heap.allocate(4 * size);
  const scores = runtime.heap.allocate(4 * size);
  try {
    const to = sample.data;
    for (let i = 0; i < size; i++) to.set(coded.row(Math.floor((i * n) / size)), i * d);
    centroids.assign(sample.offset, size, labels, scores);
    const own = labels.integers(size);
    const centres = centroids.matrix.data;
    const residuals = sample.data;
    for (let i = 0; i < size; i++) for (let t = 0; t < d; t++) residuals[i * d + t]! -= centres[own[i]! * d + t]!;
    return sample;
  } catch (error) {
    sample.free();
    throw error;
  } finally {
    labels.free();
    scores.free();
  }
}

/** Train the rotation of the residuals that the settings name; undefined for none. */
export function trainRotation(
  coded: CodedRows,
  centroids: Centroids,
  { dimensionsPerBlock, rotation, seed }: ScannSettings,
): Rotation | undefined {
  if (rotation === 'none') return undefined;
  const sample = sampledResiduals(coded, centroids, ROTATION_SAMPLE);
  try {
    return rotationNamed(rotation).train(sample, { dimensionsPerBlock, sampleSize: ROTATION_SAMPLE, seed });
  } finally {
    sample.free();
  }
}

/** The coded form of rows [n, d]: the same matrix where it needs no change, else a new one that the caller frees. */
export function codedRows(leaves: Leaves, rows: Matrix): Matrix {
  const { shape, parts, runtime } = leaves;
  const { prefix, hasMean, hasRotation } = shape;
  if (prefix === undefined && !hasMean && !hasRotation) return rows;
  const d = codedDimensions(shape);
  const coded = prefixes(rows, d, shape.hasUnitPrefix === true);
  const to = coded.data;
  if (shape.hasMean) {
    const mean = leaves.floats('mean');
    for (let i = 0; i < to.length; i++) to[i]! -= mean[i % d]!;
  }
  if (!shape.hasRotation) return coded;
  const rotation = { dimensions: d, directions: new Matrix(d, rowStride(d), runtime, parts.rotation!) };
  return rotationNamed('balanced-pca').rotate(rotation, coded, coded);
}

/** The first dimensions of rows in a matrix of their own, scaled to length 1 for cosine. */
export function prefixes(rows: Matrix, prefix: number, isUnitLength: boolean): Matrix {
  const { rows: n, dimensions: d } = rows;
  const copy = new Matrix(n, prefix, rows.runtime);
  const [from, to] = [rows.data, copy.data];
  for (let i = 0; i < n; i++) to.set(from.subarray(i * d, i * d + prefix), i * prefix);
  if (isUnitLength) normalize(to, prefix);
  return copy;
}
