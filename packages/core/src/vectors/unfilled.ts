/** Matrices that are written whole before they are read, for which filling with zeros would be lost time. */
import type { Runtime } from '../parallel/runtime.ts';
import { Matrix } from './matrix.ts';

/** A matrix whose numbers are undefined until they are written. */
export function unfilledMatrix(rows: number, dimensions: number, runtime: Runtime): Matrix {
  return new Matrix(rows, dimensions, runtime, runtime.heap.allocateUnfilled(4 * rows * dimensions));
}
