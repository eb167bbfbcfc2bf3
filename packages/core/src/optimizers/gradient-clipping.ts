/**
 * Gradient clipping, as the options of Keras's optimizers with these names:
 *
 *   clipNorm:       g ← g · min(1, clipNorm / |g|), |g| over the gradient of one parameter matrix
 *   globalClipNorm: the same with |g| over the gradients of all matrices that the optimizer steps in a training step
 *   clipValue:      every number of g is brought into ±clipValue
 *
 * Norms are summed in float64 in the order of rows, so that they have the same bits on any number of threads.
 */
import { checkPositive } from '../checks/numbers.ts';
import { NotFiniteError, OptionError } from '../errors/errors.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Matrix } from '../vectors/matrix.ts';
import { GRAIN_ROWS } from './row-numbers.ts';

/** The options of clipping, of which one may be given. */
export interface ClippingOptions {
  /** The largest norm of the gradient of one parameter matrix. */
  clipNorm?: number;
  /** The largest norm of all gradients of a training step together. */
  globalClipNorm?: number;
  /** The largest size of a number of a gradient. */
  clipValue?: number;
}

/** Refuse limits that are not above 0, and more than one of them. @throws {OptionError} naming the option */
export function checkClipping({ clipNorm, globalClipNorm, clipValue }: ClippingOptions): void {
  const given = Object.entries({ clipNorm, globalClipNorm, clipValue }).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) checkPositive(name, value!);
  if (given.length > 1) {
    const names = given.map(([name]) => name).join(' and ');
    throw new OptionError(`clipNorm: expected one of clipNorm, globalClipNorm and clipValue, got ${names}`);
  }
}

/** Σ g², of the first `dimensions` columns of a gradient. */
export function squareSum(gradients: Matrix, dimensions: number): number {
  const { rows, runtime } = gradients;
  const squares = new Matrix(rows, 2, runtime);
  const of = [gradients.offset, gradients.dimensions, dimensions, squares.offset] as const;
  modelPool(runtime).run('squareRows', rows, GRAIN_ROWS, ...of);
  const sums = new Float64Array(squares.data.buffer, squares.offset, rows);
  const sum = sums.reduce((total, square) => total + square, 0);
  squares.free();
  return sum;
}

/**
 * The factor that brings gradients with this norm to at most `limit`.
 *
 * @throws {NotFiniteError} when the norm is not finite
 */
export function clippingFactor(name: string, norm: number, limit: number): number {
  if (!Number.isFinite(norm)) throw new NotFiniteError(`${name}: expected gradients with a finite norm, got ${norm}`);
  return norm > limit ? limit / norm : 1;
}

/** A new matrix [rows, dimensions]: the first columns of a gradient, scaled and brought into ±limit. */
export function clipped(
  gradients: Matrix,
  dimensions: number,
  scale: number,
  limit: number = Number.POSITIVE_INFINITY,
): Matrix {
  const { rows, runtime } = gradients;
  const out = new Matrix(rows, dimensions, runtime);
  const of = [gradients.offset, gradients.dimensions, dimensions, scale, limit, out.offset] as const;
  modelPool(runtime).run('clipRows', rows, GRAIN_ROWS, ...of);
  return out;
}
