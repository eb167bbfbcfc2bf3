/**
 * Eigenvalues and eigenvectors of a symmetric matrix: Householder reflections to tridiagonal form, then implicit QL.
 *
 *   A = Vᵀ Λ V,   rows of V orthonormal
 *
 * Source: Golub and Van Loan, "Matrix Computations", 4th ed., 8.3; the shifts are EISPACK's tql2. Computed in float64
 * with about 4 n³ multiplications. All sums have a fixed order, so the bits are the same on every machine.
 */
import { assert } from '../checks/assert.ts';

/**
 * An off-diagonal number below this share of its diagonal neighbours, or of the largest number of the matrix, is
 * rounding error and counts as 0. The second bound is for matrices with many eigenvalues near 0, where the first one is
 * never reached.
 */
const ROUNDING = 2 ** -52;
/** The most shifts for one eigenvalue; three are usual, and EISPACK stops after 30. */
const SHIFTS_MAX = 60;

/** Eigenvalues descending; vector i is vectors[i·n … (i + 1)·n), its largest component positive. */
export interface Eigen {
  values: Float64Array;
  vectors: Float64Array;
}

/** Decompose A [n, n], of which the lower triangle is read. */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  const a = Array.from({ length: n }, (_, i) => matrix.slice(i * n, i * n + n));
  const scale = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (scale > 0) for (const row of a) for (let j = 0; j < n; j++) row[j]! /= scale;
  const { diagonal, beside, rows } = tridiagonal(a, n);
  diagonalize(diagonal, beside, rows);
  const order = [...diagonal.keys()].sort((i, j) => diagonal[j]! - diagonal[i]! || i - j);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => vectors.set(upright(rows[from]!), to * n));
  return { values: Float64Array.from(order, (i) => scale * diagonal[i]!), vectors };
}

/** T = Qᵀ A Q: its diagonal, the numbers beside the diagonal, and the rows of Qᵀ. */
function tridiagonal(
  a: Float64Array[],
  n: number,
): { diagonal: Float64Array; beside: Float64Array; rows: Float64Array[] } {
  const beside = new Float64Array(n);
  const reflections: Float64Array[] = [];
  for (let k = 0; k < n - 1; k++) {
    const v = new Float64Array(n);
    let square = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = a[i]![k]!;
      square += v[i]! * v[i]!;
    }
    const head = v[k + 1]!;
    beside[k] = head > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    // v/|v| with |v|² = 2 (|x|² − head·beside), scaled so that H = I − v vᵀ.
    v[k + 1] = head - beside[k]!;
    const half = square - head * beside[k]!;
    const inverse = half > 0 ? 1 / Math.sqrt(half) : 0;
    for (let i = k + 1; i < n; i++) v[i]! *= inverse;
    reflections.push(v);
    if (inverse === 0) continue;
    const w = new Float64Array(n);
    for (let i = k + 1; i < n; i++) {
      const row = a[i]!;
      for (let j = k + 1; j < i; j++) {
        w[i]! += row[j]! * v[j]!;
        w[j]! += row[j]! * v[i]!;
      }
      w[i]! += row[i]! * v[i]!;
    }
    let along = 0;
    for (let i = k + 1; i < n; i++) along += w[i]! * v[i]!;
    for (let i = k + 1; i < n; i++) w[i]! -= (along / 2) * v[i]!;
    for (let i = k + 1; i < n; i++) {
      const row = a[i]!;
      for (let j = k + 1; j <= i; j++) row[j]! -= v[i]! * w[j]! + w[i]! * v[j]!;
    }
  }
  const rows = Array.from({ length: n }, (_, i) => {
    const row = new Float64Array(n);
    row[i] = 1;
    for (let k = reflections.length - 1; k >= 0; k--) {
      const v = reflections[k]!;
      let dot = 0;
      for (let j = k + 1; j < n; j++) dot += row[j]! * v[j]!;
      if (dot !== 0) for (let j = k + 1; j < n; j++) row[j]! -= dot * v[j]!;
    }
    return row;
  });
  return { diagonal: Float64Array.from(a, (row, i) => row[i]!), beside, rows };
}

/**
 * QL steps on a matrix whose largest number was 1, until all numbers beside the diagonal are 0; `rows` is rotated with
 * it.
 */
function diagonalize(diagonal: Float64Array, beside: Float64Array, rows: Float64Array[]): void {
  const n = diagonal.length;
  for (let first = 0; first < n; first++) {
    for (let shifts = 0; ; shifts++) {
      let last = first;
      while (last < n - 1) {
        const size = Math.abs(beside[last]!);
        const neighbours = Math.abs(diagonal[last]!) + Math.abs(diagonal[last + 1]!);
        if (size <= ROUNDING * Math.max(1, neighbours)) break;
        last++;
      }
      if (last === first) break;
      assert(shifts < SHIFTS_MAX, 'eigenvalues do not converge');
      step(diagonal, beside, rows, first, last);
    }
  }
}

/** One implicit QL step on [first, last]. */
function step(diagonal: Float64Array, beside: Float64Array, rows: Float64Array[], first: number, last: number): void {
  const slope = (diagonal[first + 1]! - diagonal[first]!) / (2 * beside[first]!);
  const root = Math.sqrt(slope * slope + 1);
  let g = diagonal[last]! - diagonal[first]! + beside[first]! / (slope + (slope < 0 ? -root : root));
  let [sine, cosine, moved] = [1, 1, 0];
  for (let i = last - 1; i >= first; i--) {
    const f = sine * beside[i]!;
    const b = cosine * beside[i]!;
    const length = Math.sqrt(f * f + g * g);
    beside[i + 1] = length;
    if (length === 0) {
      diagonal[i + 1]! -= moved;
      beside[last] = 0;
      return;
    }
    sine = f / length;
    cosine = g / length;
    g = diagonal[i + 1]! - moved;
    const r = (diagonal[i]! - g) * sine + 2 * cosine * b;
    moved = sine * r;
    diagonal[i + 1] = g + moved;
    g = cosine * r - b;
    const [low, high] = [rows[i]!, rows[i + 1]!];
    for (let k = 0; k < low.length; k++) {
      const [x, y] = [low[k]!, high[k]!];
      high[k] = sine * x + cosine * y;
      low[k] = cosine * x - sine * y;
    }
  }
  diagonal[first]! -= moved;
  beside[first] = g;
  beside[last] = 0;
}

/** The vector or its negative, whichever has a positive first largest component, so that signs are reproducible. */
function upright(vector: Float64Array): Float64Array {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? vector.map((value) => -value) : vector;
}
