/**
 * QR factorization by Householder reflections with column pivoting, and least squares by it.
 *
 *   X P = Q R,   Q [n, r] orthonormal columns, R [r, m] upper trapezoidal, r = rank(X) to working precision.
 *
 * Source: Golub and Van Loan, "Matrix Computations", 4th ed., algorithms 5.2.1 and 5.4.1. Pivoting finds the rank, which
 * CQR's first step needs: its T block is zero there. With deficient rank `leastSquares` gives a basic solution (zeros for
 * the columns that add nothing), which has the same residual as any other.
 */
import { Dense, dot } from './dense.ts';

/** Columns whose remaining norm is below this share of the largest add nothing but rounding: 2⁻⁵² · a margin of 2¹². */
const RANK_TOLERANCE = 2 ** -40;

/** The factors of X P = Q R, with Q kept as reflections. */
export interface Factorization {
  /** [r, columns] upper trapezoidal, columns in pivoted order. */
  r: Dense;
  /** pivots[j] is the column of X that stands j-th. */
  pivots: Int32Array;
  rank: number;
  /** Householder vectors, one per column, zero above the diagonal. */
  reflections: Float64Array[];
}

/** Factorize X [n, m]; `pivoting: false` keeps the columns in order (R is then the triangle of X itself). */
export function factorize(x: Dense, { pivoting = true }: { pivoting?: boolean } = {}): Factorization {
  const work = x.clone();
  const pivots = Int32Array.from({ length: x.columns }, (_, j) => j);
  const reflections: Float64Array[] = [];
  const steps = Math.min(x.rows, x.columns);
  let largest = 0;
  let rank = 0;
  for (; rank < steps; rank++) {
    const candidates = pivoting ? x.columns - rank : 1;
    const norms = Array.from({ length: candidates }, (_, j) => tailNorm(work.column(rank + j), rank));
    const best = norms.indexOf(Math.max(...norms));
    largest = Math.max(largest, norms[best]!);
    if (norms[best]! <= RANK_TOLERANCE * largest) break;
    swapColumns(work, pivots, rank, rank + best);
    const v = reflection(work.column(rank), rank);
    for (let j = rank; j < x.columns; j++) reflect(v, rank, work.column(j));
    reflections.push(v);
  }
  const r = new Dense(rank, x.columns);
  for (let j = 0; j < x.columns; j++) r.column(j).set(work.column(j).subarray(0, Math.min(rank, j + 1)));
  return { r, pivots, rank, reflections };
}

/** The first `rank` rows of Qᵀ·Y. */
export function multiplyTransposedQ({ reflections, rank }: Factorization, y: Dense): Dense {
  const out = new Dense(rank, y.columns);
  for (let j = 0; j < y.columns; j++) {
    const column = y.column(j).slice();
    reflections.forEach((v, from) => {
      reflect(v, from, column);
    });
    out.column(j).set(column.subarray(0, rank));
  }
  return out;
}

/** Solve R·Z = B for the leading square triangle of R. */
export function solveUpper(r: Dense, b: Dense): Dense {
  const z = b.clone();
  for (let j = 0; j < b.columns; j++) {
    const column = z.column(j);
    for (let i = r.rows - 1; i >= 0; i--) {
      const value = column[i]! / r.column(i)[i]!;
      column[i] = value;
      const above = r.column(i);
      for (let t = 0; t < i; t++) column[t] = column[t]! - value * above[t]!;
    }
  }
  return z;
}

/** argmin_M ‖A·M − Y‖², a basic solution where A has deficient rank. */
export function leastSquares(a: Dense, y: Dense): Dense {
  const factors = factorize(a);
  const solved = solveUpper(factors.r, multiplyTransposedQ(factors, y));
  const m = new Dense(a.columns, y.columns);
  for (let j = 0; j < y.columns; j++) {
    for (let i = 0; i < factors.rank; i++) m.column(j)[factors.pivots[i]!] = solved.column(j)[i]!;
  }
  return m;
}

function tailNorm(column: Float64Array, from: number): number {
  const tail = column.subarray(from);
  return Math.sqrt(dot(tail, tail));
}

/** The unit vector v with (I − 2vvᵀ)·column zero below `from`. */
function reflection(column: Float64Array, from: number): Float64Array {
  const v = new Float64Array(column.length);
  v.set(column.subarray(from), from);
  v[from] = v[from]! + (v[from]! < 0 ? -1 : 1) * tailNorm(column, from);
  const length = tailNorm(v, from);
  for (let i = from; i < v.length; i++) v[i] = v[i]! / length;
  return v;
}

/** column ← (I − 2vvᵀ)·column for a v that is zero before `from`. */
function reflect(v: Float64Array, from: number, column: Float64Array): void {
  let sum = 0;
  for (let i = from; i < v.length; i++) sum += v[i]! * column[i]!;
  const factor = -2 * sum;
  for (let i = from; i < v.length; i++) column[i] = column[i]! + factor * v[i]!;
}

function swapColumns(work: Dense, pivots: Int32Array, a: number, b: number): void {
  if (a === b) return;
  const column = work.column(a).slice();
  work.column(a).set(work.column(b));
  work.column(b).set(column);
  [pivots[a], pivots[b]] = [pivots[b]!, pivots[a]!];
}
