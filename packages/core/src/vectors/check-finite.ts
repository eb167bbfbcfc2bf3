/** The check that all components of vectors are finite numbers. */
import { NotFiniteError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Matrix } from './matrix.ts';

/** Rows of float32 in the linear memory: a matrix, or a part of a block. */
export type FloatRows = Pick<Matrix, 'offset' | 'rows' | 'dimensions'>;

/**
 * Check every number of a matrix.
 *
 * @throws {NotFiniteError} naming row and column of the first that is NaN or infinite
 */
export function checkFinite(name: string, matrix: Matrix): void {
  checkFiniteRows(name, matrix.runtime, matrix);
}

/**
 * Check every number of rows in the linear memory.
 *
 * @param rowOf the number that the message gives to a row; default its position
 * @throws {NotFiniteError} naming row and column of the first that is NaN or infinite
 */
export function checkFiniteRows(
  name: string,
  { kernels, heap }: Runtime,
  { offset, rows, dimensions }: FloatRows,
  rowOf = (row: number): number => row,
): void {
  const at = kernels.findNotFinite(offset, rows * dimensions);
  if (at >= 0)
    throw notFiniteError(
      name,
      heap.memory.floats[offset / 4 + at]!,
      rowOf(Math.floor(at / dimensions)),
      at % dimensions,
    );
}

/** The error of a number that is NaN or infinite. */
export function notFiniteError(name: string, value: number, row: number, column: number): NotFiniteError {
  return new NotFiniteError(`${name}: expected finite numbers, got ${value} in row ${row}, column ${column}`);
}
