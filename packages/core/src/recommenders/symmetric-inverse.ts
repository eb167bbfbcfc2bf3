/**
 * The inverse of a symmetric positive definite matrix, in place, by blocks: the sweep operator over K columns at a time.
 *
 *   D = (A_KK)⁻¹    R = A_·K D    A_ij ← A_ij − R_i A_jKᵀ    A_·K ← R    A_KK ← −D        after all blocks A = −inverse
 *
 * Source: Goodnight, "A tutorial on the SWEEP operator", The American Statistician 33(3), 1979. n³/2 products, in
 * float32 on all threads; the K × K blocks are inverted in float64. Limit: n² floats must fit into the linear memory (n
 * ≤ 20,000 or so), and the condition number of A should be below 1e5, which an added diagonal ensures.
 */
import { DivergedError } from '../errors/errors.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Matrix } from '../vectors/matrix.ts';
import { multiplyRows } from '../vectors/multiply.ts';

/** Columns swept at a time, few enough that the swept parts of two matrices stay in the cache of a core. */
const SWEEP = 64;
/** Blocks of 16 rows that a thread claims at a time; blocks at the top have the most work. */
const GRAIN_BLOCKS = 2;

/**
 * The number of rows of a matrix for `invertSymmetric`: `size` rounded up to a multiple of 64. The added rows must have
 * a diagonal of ones.
 */
export function invertibleSize(size: number): number {
  return Math.ceil(size / SWEEP) * SWEEP;
}

/**
 * Replace a matrix by its inverse.
 *
 * @param matrix [n, n], n from `invertibleSize`; only the upper half is read, both are written
 * @throws {DivergedError} when it is not positive definite
 */
export function invertSymmetric(matrix: Matrix): void {
  const { rows: n, runtime } = matrix;
  const column = new Matrix(n, SWEEP, runtime);
  const swept = new Matrix(n, SWEEP, runtime);
  const packed = new Matrix(n, SWEEP, runtime);
  const block = new Matrix(SWEEP, SWEEP, runtime);
  try {
    for (let first = 0; first < n; first += SWEEP) {
      takeColumn(matrix.data, n, first, column.data);
      const inverse = invertBlock(column.data.subarray(first * SWEEP, (first + SWEEP) * SWEEP));
      block.data.set(inverse);
      const pool = modelPool(runtime);
      const { offset } = column;
      multiplyRows(runtime, { a: offset, aStride: SWEEP, m: n, n: SWEEP, b: block.offset, d: SWEEP, c: swept.offset });
      pool.run('packPanels', n / 8, 32, column.offset, n, SWEEP, packed.offset);
      negate(swept.data);
      pool.run('addSymmetric', n / 16, GRAIN_BLOCKS, swept.offset, SWEEP, packed.offset, n / 8, matrix.offset);
      putColumn(matrix.data, n, first, swept.data, inverse);
    }
    finish(matrix.data, n);
  } finally {
    for (const scratch of [column, swept, packed, block]) scratch.free();
  }
}

/** column[j] = A[j][first …], read from the upper half. */
function takeColumn(a: Float32Array, n: number, first: number, column: Float32Array): void {
  for (let j = 0; j < first + SWEEP; j++) column.set(a.subarray(j * n + first, j * n + first + SWEEP), j * SWEEP);
  for (let k = 0; k < SWEEP; k++) {
    const row = (first + k) * n;
    // Only the upper half of the block is read.
    for (let j = first + k; j < n; j++) column[j * SWEEP + k] = a[row + j]!;
  }
}

/** A_·K ← R, A_KK ← −D, written to the upper half; `negated` holds −R. */
function putColumn(a: Float32Array, n: number, first: number, negated: Float32Array, inverse: Float64Array): void {
  for (let j = 0; j < first; j++) {
    for (let k = 0; k < SWEEP; k++) a[j * n + first + k] = -negated[j * SWEEP + k]!;
  }
  for (let k = 0; k < SWEEP; k++) {
    const row = (first + k) * n;
    for (let j = 0; j < SWEEP; j++) a[row + first + j] = -inverse[k * SWEEP + j]!;
    for (let j = first + SWEEP; j < n; j++) a[row + j] = -negated[j * SWEEP + k]!;
  }
}

/** The inverse of a block by Gauss-Jordan elimination, without pivoting because the block is positive definite. */
function invertBlock(block: Float32Array): Float64Array {
  const a = Float64Array.from(block);
  for (let k = 0; k < SWEEP; k++) {
    const pivot = a[k * SWEEP + k]!;
    if (!(pivot > 0)) throw new DivergedError(`matrix: expected a positive definite one, got a pivot of ${pivot}`);
    for (let j = 0; j < SWEEP; j++) a[k * SWEEP + j] = a[k * SWEEP + j]! / pivot;
    a[k * SWEEP + k] = 1 / pivot;
    for (let i = 0; i < SWEEP; i++) {
      if (i === k) continue;
      const factor = a[i * SWEEP + k]!;
      a[i * SWEEP + k] = 0;
      for (let j = 0; j < SWEEP; j++) a[i * SWEEP + j] = a[i * SWEEP + j]! - factor * a[k * SWEEP + j]!;
    }
  }
  return a;
}

function negate(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = -values[i]!;
}

/** Negate the upper half and copy it to the lower half. */
function finish(a: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      const value = -a[i * n + j]!;
      a[i * n + j] = value;
      a[j * n + i] = value;
    }
  }
}
