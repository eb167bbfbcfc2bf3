/**
 * The contract of the layers of a tower. A layer has a forward and a backward pass written by hand; `gradCheck`
 * (grad-check.ts) compares the two. A program can write layers of its own and pass them to `Tower.create`.
 *
 * Layout: a matrix of n rows with `columns` columns has rows of `padded(columns)` floats, and the padding is 0. A layer can
 * rely on that for x and dy and has to keep it for y and dx.
 */

import { checkArgument } from '../checks/arguments.ts';
import { NUMBER } from '../checks/options.ts';
import type { Saved } from '../format/saved.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from '../vectors/matrix.ts';
import { unfilledMatrix } from '../vectors/unfilled.ts';

/** A differentiable function of rows, with the weights that it learns. */
export interface Layer {
  /** The name of its type in bundles and messages. */
  readonly kind: string;
  /** Columns of x. */
  readonly inputs: number;
  /** Columns of y. */
  readonly outputs: number;
  /** The runtime in whose memory its matrices, x and dy are. */
  readonly runtime: Runtime;
  /**
   * Compute y [n, padded(outputs)] from x [n, padded(inputs)]; layers of sequences may have one row of y for each sequence. The
   * layer owns y, which is valid until its next
   * `forward`; it may keep x until `backward`.
   *
   * @param trainingStep the number of the step while training, from which random layers draw; undefined while evaluating
   * and serving
   */
  forward(x: Matrix, trainingStep?: number): Matrix;
  /**
   * Compute dx [n, padded(inputs)] from dy [n, at least padded(outputs)], the gradient of the loss at y of the last
   * `forward`, and step the weights by their gradients. The caller owns dy and the returned dx, which is a new matrix.
   */
  backward(dy: Matrix, optimizer: SparseOptimizer): Matrix;
  /** `backward` without dx, for a layer whose inputs are not trained; a layer without it computes dx in vain. */
  backwardWeights?(dy: Matrix, optimizer: SparseOptimizer): void;
  /** The matrices that `backward` steps, in a fixed order. */
  parameters(): Matrix[];
  /** The saved form, whose kind is `kind`. */
  save(): Saved;
}

/** The seed and the runtime of a new layer. */
export interface LayerContext {
  /** The seed of the initial weights and of the numbers that the layer draws while training. */
  readonly seed: number;
  readonly runtime: Runtime;
}

/** Makes a layer for rows with `inputs` columns. */
export type LayerFactory = (inputs: number, context: LayerContext) => Layer;

/** Columns rounded up to whole vectors of the kernels, which have 4 floats. */
export function padded(columns: number): number {
  return Math.ceil(checkArgument('columns', columns, NUMBER) / 4) * 4;
}

/** Rows that a thread claims at a time when a kernel does some arithmetic per float: some microseconds. */
export const GRAIN_ROWS = 64;

/** A matrix [rows, padded(columns)] of which the caller writes all `columns`: only its padding, if it has any, is filled with 0. */
export function columnsMatrix(rows: number, columns: number, runtime: Runtime): Matrix {
  const width = padded(columns);
  return width === columns ? unfilledMatrix(rows, width, runtime) : new Matrix(rows, width, runtime);
}

/** `matrix` where it has this many rows, else a new one in its place. */
export function withRows(matrix: Matrix | undefined, rows: number, make: () => Matrix): Matrix {
  if (matrix?.rows === rows) return matrix;
  matrix?.free();
  return make();
}
