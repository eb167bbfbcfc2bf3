/**
 * Computes from the rows by how many standard errors the bound of a group of 32 must be below the threshold
 * (search/plan.ts) before the group is skipped.
 *
 * The bound assumes that all directions of residuals are equally likely. Then the product of a residual r with the part
 * of a query that is orthogonal to the centroid has the standard deviation |r| / √(d − 1), per unit length of that
 * part. Where some directions have more variance, queries and residuals both tend to those directions, and the products
 * are larger by the factor `ratio`:
 *   ratio² = mean (d − 1) ⟨x, r⟩² / (|x|² |r|²),   x and r without their parts along the centroid of r; x is a row in place of a query
 * The ratio is 1 where all directions are equally likely. It is 1.1 for the tutorial's candidates and GloVe, 1.8 for
 * word vectors of 300 dimensions.
 */
import type { Centroids } from '../../../clustering/centroids.ts';
import type { Generator as Random } from '../../../random/generator.ts';
import type { Matrix } from '../../../vectors/matrix.ts';

/**
 * Standard errors for a ratio up to `ALIKE`. 2 loses no results on the tutorial's candidates and 3 % on normally
 * distributed ones; 3 loses almost none on both.
 */
const ERRORS = 3;
/** The largest ratio of the data with which `ERRORS` was measured. */
const ALIKE = 1.1;
/** Pairs of rows in the sample: enough to know the ratio to a few per cent. */
const PAIRS = 8_192;

/** Standard errors for rows [n, d] of these leaves. */
export function groupBoundOf(rows: Matrix, labels: Int32Array, centroids: Centroids, random: Random): number {
  const { rows: n, dimensions: d, data } = rows;
  const centres = centroids.matrix.data;
  let sum = 0;
  let pairs = 0;
  for (let pair = 0; pair < PAIRS; pair++) {
    const query = random.below(n) * d;
    const row = random.below(n);
    const at = row * d;
    const centre = labels[row]! * d;
    const products = { cc: 0, cx: 0, cr: 0, xx: 0, rr: 0, xr: 0 };
    for (let t = 0; t < d; t++) {
      const c = centres[centre + t]!;
      const x = data[query + t]!;
      const r = data[at + t]! - c;
      products.cc += c * c;
      products.cx += c * x;
      products.cr += c * r;
      products.xx += x * x;
      products.rr += r * r;
      products.xr += x * r;
    }
    const { cc, cx, cr, xx, rr, xr } = products;
    const along = cc > 0 ? 1 / cc : 0;
    const size = (xx - cx * cx * along) * (rr - cr * cr * along);
    // The difference of two equal vectors is rounding error.
    if (size <= 1e-12 * xx * rr) continue;
    sum += ((d - 1) * (xr - cx * cr * along) ** 2) / size;
    pairs++;
  }
  return pairs === 0 ? ERRORS : ERRORS * Math.max(1, Math.sqrt(sum / pairs) / ALIKE);
}
