/** Checks what the methods of a table are given: ids from 0 to vocabularySize − 1, and matrices with a row for each id. */

import { checkArgument, NUMBERS } from '../checks/arguments.ts';
import { instanceOf, type OptionType } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import { OPTIMIZER, type SparseOptimizer } from '../optimizers/contract.ts';
import { checkMatrix } from '../vectors/check-matrix.ts';
import type { Matrix } from '../vectors/matrix.ts';

/** The type of an argument that is ids of a table. */
export const IDS: OptionType = instanceOf('an Int32Array', () => Int32Array);

/**
 * Check that all ids are in range.
 *
 * @throws {OptionError} naming the first bad id and its position
 */
export function checkIds(ids: Int32Array, vocabularySize: number): void {
  checkArgument('ids', ids, NUMBERS);
  for (let i = 0; i < ids.length; i++) {
    if (!Number.isInteger(ids[i]) || ids[i]! < 0 || ids[i]! >= vocabularySize) {
      throw new OptionError(`ids: expected integers from 0 to ${vocabularySize - 1}, got ${ids[i]} at position ${i}`);
    }
  }
}

type TableShape = { readonly vocabularySize: number; readonly dimensions: number };

/**
 * Check the arguments of `rows`.
 *
 * @throws {OptionError} when an argument is of another type, or an id out of range
 * @throws {ShapeError} when `out` is too small
 */
export function checkRowsCall({ vocabularySize, dimensions }: TableShape, ids: Int32Array, out: Matrix): void {
  checkIds(ids, vocabularySize);
  checkMatrix('out', out, ids.length, dimensions);
}

/**
 * Check the arguments of `applyGradient`.
 *
 * @throws {OptionError} when an argument is of another type, or an id out of range
 * @throws {ShapeError} when there are too few gradients
 */
export function checkGradientCall(
  { vocabularySize, dimensions }: TableShape,
  ids: Int32Array,
  gradients: Matrix,
  optimizer: SparseOptimizer,
): void {
  checkIds(ids, vocabularySize);
  checkMatrix('gradients', gradients, ids.length, dimensions);
  checkArgument('optimizer', optimizer, OPTIMIZER);
}
