/** The check of a matrix that a program passes: kernels read it by its offset, so it must be large enough. */
import { checkArgument } from '../checks/arguments.ts';
import { ShapeError } from '../errors/errors.ts';
import { MATRIX, type Matrix } from './matrix.ts';

/**
 * A matrix of at least so many rows, and rows of at least so many numbers; returns it.
 *
 * @throws {OptionError} when it is no Matrix
 * @throws {ShapeError} when it is smaller
 */
export function checkMatrix(name: string, matrix: Matrix, rows: number, dimensions: number): Matrix {
  checkArgument(name, matrix, MATRIX);
  if (matrix.rows < rows || matrix.dimensions < dimensions) {
    const got = `${matrix.rows} × ${matrix.dimensions}`;
    throw new ShapeError(`${name}: expected a matrix of at least ${rows} × ${dimensions}, got ${got}`);
  }
  return matrix;
}
