/**
 * Rows scaled to unit length, y = x / |x|, and the gradient back: dx = (dy − y·⟨y, dy⟩) / |x|.
 *
 * A row of zeros stays zero and its gradient is zero.
 */
import type { Matrix } from '../vectors/matrix.ts';

/** Scale the first `dimensions` columns of each row to length 1 in place; returns the lengths before. */
export function normalizeRows(matrix: Matrix, dimensions: number): Float32Array {
  const lengths = new Float32Array(matrix.rows);
  const { data } = matrix;
  for (let i = 0; i < matrix.rows; i++) {
    const at = i * matrix.dimensions;
    let square = 0;
    for (let t = 0; t < dimensions; t++) square += data[at + t]! ** 2;
    lengths[i] = Math.sqrt(square);
    if (square > 0) for (let t = 0; t < dimensions; t++) data[at + t] = data[at + t]! / lengths[i]!;
  }
  return lengths;
}

/** Turn gradients with respect to the normalized rows into gradients with respect to the original rows, in place. */
export function denormalizeGradient(
  gradients: Matrix,
  normalized: Matrix,
  lengths: Float32Array,
  dimensions: number,
): void {
  const [gradient, y] = [gradients.data, normalized.data];
  for (let i = 0; i < gradients.rows; i++) {
    const [g, n] = [i * gradients.dimensions, i * normalized.dimensions];
    let along = 0;
    for (let t = 0; t < dimensions; t++) along += gradient[g + t]! * y[n + t]!;
    for (let t = 0; t < dimensions; t++) {
      gradient[g + t] = lengths[i] === 0 ? 0 : (gradient[g + t]! - y[n + t]! * along) / lengths[i]!;
    }
  }
}
