/**
 * Rows scaled to unit length, y = x / |x|, and the gradient back: dx = (dy − y·⟨y, dy⟩) / |x|.
 *
 * A row of zeros stays zero and its gradient is zero.
 */
import { modelPool } from '../parallel/model-pool.ts';
import type { Matrix } from '../vectors/matrix.ts';

/** Rows that a thread claims at a time: some microseconds of arithmetic. */
const GRAIN_ROWS = 64;

/** Scale the first `dimensions` columns of each row to length 1 in place; writes the lengths before to `lengths` [1, rows]. */
export function normalizeRows(matrix: Matrix, dimensions: number, lengths: Matrix): void {
  const pool = modelPool(matrix.runtime);
  pool.run('normalizeRows', matrix.rows, GRAIN_ROWS, matrix.offset, matrix.dimensions, dimensions, lengths.offset);
}

/** Turn gradients with respect to the normalized rows into gradients with respect to the original rows, in place. */
export function denormalizeGradient(gradients: Matrix, normalized: Matrix, lengths: Matrix, dimensions: number): void {
  modelPool(gradients.runtime).run(
    'denormalizeRows',
    gradients.rows,
    GRAIN_ROWS,
    gradients.offset,
    gradients.dimensions,
    normalized.offset,
    normalized.dimensions,
    dimensions,
    lengths.offset,
  );
}
