/** The check that all components of vectors are finite numbers. */
import { NotFiniteError } from '../errors/errors.ts';
import type { Matrix } from './matrix.ts';

/**
 * Check every number of a matrix.
 *
 * @throws {NotFiniteError} naming row and column of the first that is NaN or infinite
 */
export function checkFinite(name: string, matrix: Matrix): void {
  const { rows, dimensions, runtime, offset } = matrix;
  const at = runtime.kernels.findNotFinite(offset, rows * dimensions);
  if (at < 0) return;
  const where = `row ${Math.floor(at / dimensions)}, column ${at % dimensions}`;
  throw new NotFiniteError(`${name}: expected finite numbers, got ${matrix.data[at]} in ${where}`);
}
