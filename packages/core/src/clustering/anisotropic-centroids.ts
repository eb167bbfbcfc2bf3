/**
 * Centroids that lose least of the inner products with their members (ScaNN's `avq`, after arXiv 1908.10396): for members
 * x of a partition, with S = Σ |x|^(η−1),
 *
 *   c = η · (S·I + (η−1) Σ |x|^(η−3) x xᵀ)⁻¹ Σ |x|^(η−1) x,
 *
 * then all of them times one factor g = Σ ⟨x, c⟩ / Σ |c|². Computed in float64; assignments stay as they are.
 * Limit: d² numbers and d³/6 products a partition.
 */

/** Rows that a partition's matrix is summed over, at most: more do not move the centroid by anything that shows. */
const MEMBERS_MAX = 512;

/** Replace centroids [leaves, d] in place. `order[begin[l] … begin[l+1])` are the rows of partition l. */
export function* anisotropicCentroids(
  rows: Float32Array,
  d: number,
  begin: Int32Array,
  order: Int32Array,
  eta: number,
  centroids: Float32Array,
): Generator<number, void> {
  const matrix = new Float64Array(d * d);
  const right = new Float64Array(d);
  const x = new Float64Array(d);
  const leaves = begin.length - 1;
  let products = 0;
  let squares = 0;
  for (let leaf = 0; leaf < leaves; leaf++) {
    const first = begin[leaf]!;
    const size = begin[leaf + 1]! - first;
    const step = Math.max(1, Math.ceil(size / MEMBERS_MAX));
    matrix.fill(0);
    right.fill(0);
    let sum = 0;
    for (let i = 0; i < size; i += step) {
      const at = order[first + i]! * d;
      let square = 0;
      for (let t = 0; t < d; t++) {
        x[t] = rows[at + t]!;
        square += x[t]! * x[t]!;
      }
      if (square === 0) continue;
      const weight = square ** ((eta - 1) / 2);
      const scaled = ((eta - 1) * weight) / square;
      sum += weight;
      for (let a = 0; a < d; a++) {
        const xa = x[a]!;
        right[a]! += eta * weight * xa;
        const factor = scaled * xa;
        const row = a * d;
        for (let b = 0; b <= a; b++) matrix[row + b]! += factor * x[b]!;
      }
    }
    for (let a = 0; a < d; a++) matrix[a * d + a]! += sum;
    if (sum > 0 && solve(matrix, right, d)) centroids.set(right, leaf * d);
    for (let i = 0; i < size; i += step) {
      const at = order[first + i]! * d;
      for (let t = 0; t < d; t++) {
        const c = centroids[leaf * d + t]!;
        products += step * rows[at + t]! * c;
        squares += step * c * c;
      }
    }
    if (leaf % 64 === 63) yield leaf + 1;
  }
  const factor = squares > 0 && products > 0 ? products / squares : 1;
  for (let i = 0; i < centroids.length; i++) centroids[i]! *= factor;
}

/** Solve A·y = b for a symmetric positive A given by its lower triangle (Cholesky), y into b; false where A is not. */
function solve(a: Float64Array, b: Float64Array, d: number): boolean {
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * d + j]!;
      for (let t = 0; t < j; t++) sum -= a[i * d + t]! * a[j * d + t]!;
      if (i === j) {
        if (sum <= 0) return false;
        a[i * d + i] = Math.sqrt(sum);
      } else a[i * d + j] = sum / a[j * d + j]!;
    }
  }
  for (let i = 0; i < d; i++) {
    let sum = b[i]!;
    for (let t = 0; t < i; t++) sum -= a[i * d + t]! * b[t]!;
    b[i] = sum / a[i * d + i]!;
  }
  for (let i = d - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let t = i + 1; t < d; t++) sum -= a[t * d + i]! * b[t]!;
    b[i] = sum / a[i * d + i]!;
  }
  return true;
}
