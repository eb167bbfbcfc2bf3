/** Checks of what the passes of a layer are given. Kernels read matrices by their offsets, so a small one must be refused. */

import { checkArgument } from '../checks/arguments.ts';
import { type OptionType, optionType } from '../checks/options.ts';
import { ShapeError, StateError } from '../errors/errors.ts';
import { OPTIMIZER, type SparseOptimizer } from '../optimizers/contract.ts';
import { checkMatrix } from '../vectors/check-matrix.ts';
import type { Matrix } from '../vectors/matrix.ts';
import { type Layer, padded } from './contract.ts';

/** The type of an argument that is a list of layers. */
export const LAYERS: OptionType = optionType(
  'a list of layers',
  (value) => Array.isArray(value) && value.every((layer) => typeof layer?.forward === 'function'),
);

/**
 * Check x of `forward`.
 *
 * @throws {OptionError} when it is no Matrix
 * @throws {ShapeError} when its rows are too short
 */
export function checkForward({ inputs }: Pick<Layer, 'inputs'>, x: Matrix): void {
  checkMatrix('x', x, 0, padded(inputs));
}

/**
 * Check the arguments of `backward`.
 *
 * @param rows rows of the last `forward`; undefined where there was none
 * @throws {StateError} when there was no `forward`
 * @throws {OptionError} when an argument is of another type
 * @throws {ShapeError} when dy has other rows than the last x, or they are too short
 */
export function checkBackward(
  { kind, outputs }: Pick<Layer, 'kind' | 'outputs'>,
  dy: Matrix,
  optimizer: SparseOptimizer,
  rows: number | undefined,
): void {
  if (rows === undefined) throw new StateError(`${kind}: expected \`forward\` before \`backward\`, got none`);
  checkMatrix('dy', dy, rows, padded(outputs));
  checkArgument('optimizer', optimizer, OPTIMIZER);
  if (dy.rows !== rows) throw new ShapeError(`dy: expected ${rows} rows, one per row of x, got ${dy.rows}`);
}
