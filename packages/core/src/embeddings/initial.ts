/** Initial embeddings. */
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';

/** Keras's default for Embedding, `RandomUniform(-0.05, 0.05)`. */
const UNIFORM_LIMIT = 0.05;

/**
 * A matrix of uniform numbers in ±0.05/√sums, so that a sum of `sums` rows has the scale of a row of a full table.
 */
export function initialRows(
  rows: number,
  dimensions: number,
  sums: number,
  generator: Generator,
  runtime: Runtime,
): Matrix {
  const matrix = new Matrix(rows, dimensions, runtime);
  const { data } = matrix;
  const limit = UNIFORM_LIMIT / Math.sqrt(sums);
  for (let i = 0; i < data.length; i++) data[i] = limit * (2 * generator.uniform() - 1);
  return matrix;
}
