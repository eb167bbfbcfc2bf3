/**
 * By how many standard errors the bound of a group of 32 must be below the k-th best score before the group is skipped;
 * computed from the rows.
 *
 * The bound assumes that residuals point in all directions alike: then the product of a query's part across the centroid
 * with a residual r has the spread |r| / √(d − 1). Where some directions have more variance, queries and residuals both point
 * there, and the products are larger by
 *   ratio² = mean (d − 1) ⟨x, r⟩² / (|x|² |r|²),   x and r across the centroid of r; x, a row, stands for a query
 * The ratio is 1 where all directions are alike; 1.1 on the tutorial's candidates and GloVe, 1.8 on word vectors of 300 dimensions.
 */
import type { Centroids } from '../../../clustering/centroids.ts';
import type { Generator as Random } from '../../../random/generator.ts';
import type { Matrix } from '../../../vectors/matrix.ts';

/** Standard errors where directions are alike: 2 loses nothing on the tutorial's candidates and 3 % on normal ones, 3 next to nothing. */
const ERRORS = 3;
/** Ratios up to here are what `ERRORS` was measured with. */
const ALIKE = 1.1;
/** Pairs of rows looked at: the ratio is known to a few per cent. */
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
