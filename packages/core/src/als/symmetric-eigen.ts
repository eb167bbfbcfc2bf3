/**
 * Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations, in float64.
 *
 * Source: Golub and Van Loan, "Matrix Computations", 4th ed., section 8.5 (cyclic by rows). Some 6 to 10 sweeps of 4 n³
 * multiplications each: a tenth of a second for n = 128.
 */

/**
 * Off-diagonal elements below this share of the largest diagonal element count as 0, which is precise enough for
 * factors in float32.
 */
const TOLERANCE = 1e-12;
/** The most sweeps. The tolerance ends them long before, except for a matrix with elements that are not finite. */
const SWEEPS_MAX = 30;

/** A = Σ_k values[k] · vectors[k] vectors[k]ᵀ. */
export interface SymmetricEigen {
  /** [n] */
  readonly values: Float64Array;
  /** [n, n] row-major; each row is an eigenvector of length 1. */
  readonly vectors: Float64Array;
}

/** Decompose a symmetric matrix [n, n], row-major. */
export function symmetricEigen(matrix: ArrayLike<number>, n: number): SymmetricEigen {
  const a = Float64Array.from(matrix);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let largest = 0;
    for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(a[i * n + i]!));
    let rotations = 0;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p * n + q]!) <= TOLERANCE * largest) continue;
        rotate(a, vectors, n, p, q);
        rotations++;
      }
    }
    if (rotations === 0) break;
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), vectors };
}

/** Make a[p][q] zero by a rotation. Both halves of `a` are updated, so that the loop reads along rows. */
function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * a[p * n + q]!);
  // Square roots, not Math.hypot: they have the same bits in every engine.
  const tangent = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  const [rowP, rowQ] = [p * n, q * n];
  const change = tangent * a[rowP + q]!;
  const [atP, atQ] = [a[rowP + p]! - change, a[rowQ + q]! + change];
  for (let t = 0; t < n; t++) {
    const [x, y] = [a[rowP + t]!, a[rowQ + t]!];
    a[rowP + t] = cosine * x - sine * y;
    a[rowQ + t] = sine * x + cosine * y;
    const [u, v] = [vectors[rowP + t]!, vectors[rowQ + t]!];
    vectors[rowP + t] = cosine * u - sine * v;
    vectors[rowQ + t] = sine * u + cosine * v;
  }
  for (let t = 0; t < n; t++) {
    a[t * n + p] = a[rowP + t]!;
    a[t * n + q] = a[rowQ + t]!;
  }
  a[rowP + p] = atP;
  a[rowQ + q] = atQ;
  a[rowP + q] = 0;
  a[rowQ + p] = 0;
}
