/** Checks of what the methods of an optimizer are given. Kernels read matrices by their offsets, so rows beyond them must be refused. */
import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { instanceOf } from '../checks/options.ts';
import { checkMatrix } from '../vectors/check-matrix.ts';
import { MATRIX, type Matrix } from '../vectors/matrix.ts';

const ROWS = instanceOf('an Int32Array', () => Int32Array);

/**
 * Check the arguments of `step`: one gradient per row, each at least as wide as the parameters.
 *
 * @throws {OptionError} when an argument is of another type, or a row is beyond the parameters
 * @throws {ShapeError} when there are too few gradients, or they are too narrow
 */
export function checkStep(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
  checkArgument('parameters', parameters, MATRIX);
  checkArgument('rows', rows, ROWS);
  checkMatrix('gradients', gradients, rows.length, parameters.dimensions);
  for (let i = 0; i < rows.length; i++) checkInteger('rows', rows[i]!, 0, parameters.rows - 1);
}

/**
 * Check the arguments of `resetState`; returns the end of the rows.
 *
 * @throws {OptionError} when an argument is of another type, or there are no such rows
 */
export function checkRange(parameters: Matrix, from: number, to?: number): number {
  const { rows } = checkArgument('parameters', parameters, MATRIX);
  checkInteger('from', from, 0, rows);
  return checkInteger('to', to ?? rows, from, rows);
}
