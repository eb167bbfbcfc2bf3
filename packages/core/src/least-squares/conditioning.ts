/**
 * ρ = σ_min(X)² / ‖X‖²_F, the rate in CQR's theorem: 1/d1 when all singular values are equal, near 0 when one is small.
 *
 * σ_min comes from inverse power iteration on RᵀR = XᵀX (Golub and Van Loan, section 8.2.2): each step solves two
 * triangles. The Rayleigh quotient approaches σ_min² from above, so an early stop can only overstate ρ.
 */

import { checkArgument } from '../checks/arguments.ts';
import { instanceOf } from '../checks/options.ts';
import { addScaled, Dense, dot, squaredNorm } from './dense.ts';
import { factorize } from './qr.ts';

const ITERATIONS_MAX = 2000;
/** Stop when σ_min² moves by less than this share: far below what a bound needs. */
const TOLERANCE = 1e-12;

/** ρ of X; 0 when X has deficient column rank. */
export function rho(x: Dense): number {
  checkArgument(
    'x',
    x,
    instanceOf('a Dense', () => Dense),
  );
  const { r, rank } = factorize(x, { pivoting: false });
  if (rank < x.columns) return 0;
  let v = new Float64Array(rank).fill(1 / Math.sqrt(rank));
  let smallest = Number.POSITIVE_INFINITY;
  for (let iteration = 0; iteration < ITERATIONS_MAX; iteration++) {
    const w = solveTriangles(r, v);
    const length = Math.sqrt(dot(w, w));
    const estimate = 1 / dot(v, w);
    v = w.map((value) => value / length);
    const done = Math.abs(smallest - estimate) <= TOLERANCE * estimate;
    smallest = estimate;
    if (done) break;
  }
  return smallest / squaredNorm(x);
}

/** (RᵀR)⁻¹·b */
function solveTriangles(r: Dense, b: Float64Array): Float64Array<ArrayBuffer> {
  const z = new Float64Array(b);
  for (let i = 0; i < z.length; i++) {
    const column = r.column(i);
    z[i] = (z[i]! - dot(z.subarray(0, i), column.subarray(0, i))) / column[i]!;
  }
  for (let i = z.length - 1; i >= 0; i--) {
    const column = r.column(i);
    z[i] = z[i]! / column[i]!;
    addScaled(z.subarray(0, i), -z[i]!, column.subarray(0, i));
  }
  return z;
}
