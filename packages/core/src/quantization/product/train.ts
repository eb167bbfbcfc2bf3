/** Training a product quantizer: k-means of each block on one sample, as ScaNN's asymmetric hashing trains it. */

import { checkArgument } from '../../checks/arguments.ts';
import { checkInteger } from '../../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../../checks/options.ts';
import { trainKMeans } from '../../clustering/train.ts';
import { OptionError, ShapeError } from '../../errors/errors.ts';
import { Generator } from '../../random/generator.ts';
import { checkFinite } from '../../vectors/check-finite.ts';
import { MATRIX, Matrix } from '../../vectors/matrix.ts';
import type { ProductCodebook } from './codebook.ts';

/** Options of `trainProductCodebook`. */
export interface ProductTrainingOptions {
  /** Consecutive dimensions of a block; default 2, as ScaNN's guidance. */
  dimensionsPerBlock?: number;
  /** 16 (default) or 256. */
  codewords?: 16 | 256;
  /** Lloyd's iterations at most; default 10, as ScaNN's. */
  iterations?: number;
  /** Default 42. */
  seed?: number;
  /** The most residuals in the training sample; default 100,000, as ScaNN's. */
  sampleSize?: number;
}

const checkOptions = optionsCheck<ProductTrainingOptions>('trainProductCodebook', {
  dimensionsPerBlock: NUMBER,
  codewords: NUMBER,
  iterations: NUMBER,
  seed: NUMBER,
  sampleSize: NUMBER,
});

/**
 * Train codewords on residuals. They are the same for any number of threads.
 *
 * With fewer residuals than codewords some codewords are equal; only the first of them is used in codes.
 *
 * @param residuals [n, d], n ≥ 1
 * @throws {OptionError} when an option is out of range
 * @throws {ShapeError} when there is no residual
 * @throws {NotFiniteError} when a number is NaN or infinite
 */
export function trainProductCodebook(residuals: Matrix, options: ProductTrainingOptions = {}): ProductCodebook {
  checkArgument('residuals', residuals, MATRIX);
  checkOptions(options);
  const { dimensionsPerBlock = 2, codewords = 16, iterations = 10, seed = 42, sampleSize = 100_000 } = options;
  const { rows: n, dimensions, runtime } = residuals;
  if (codewords !== 16 && codewords !== 256) throw new OptionError(`codewords: expected 16 or 256, got ${codewords}`);
  checkInteger('dimensionsPerBlock', dimensionsPerBlock, 1);
  checkInteger('iterations', iterations, 1);
  checkInteger('sampleSize', sampleSize, 1);
  if (n === 0 || dimensions === 0) throw new ShapeError(`residuals: expected at least one, got ${n} of ${dimensions}`);
  checkFinite('residuals', residuals);
  const random = new Generator(checkInteger('seed', seed, Number.MIN_SAFE_INTEGER)).fork('product');
  const chosen = random.permutation(n).subarray(0, Math.min(n, sampleSize));
  const blocks = Math.ceil(dimensions / dimensionsPerBlock);
  const starts = Int32Array.from({ length: blocks + 1 }, (_, b) => Math.min(dimensions, b * dimensionsPerBlock));
  const words = new Matrix(dimensions, codewords, runtime);
  for (let b = 0; b < blocks; b++) {
    const slice = sliceBlock(residuals, chosen, starts[b]!, starts[b + 1]!);
    const seedOfBlock = random.fork('block', b).uint32();
    const { centroids } = trainKMeans(slice, {
      clusters: codewords,
      iterations,
      seed: seedOfBlock,
      initialization: 'k-means++',
    });
    for (let word = 0; word < codewords; word++) {
      const center = centroids.row(word % centroids.rows);
      for (let t = 0; t < center.length; t++) words.data[(starts[b]! + t) * codewords + word] = center[t]!;
    }
    slice.free();
    centroids.free();
  }
  return { dimensions, dimensionsPerBlock, blocks, codewords, starts, words };
}

/** Dimensions [first, last) of the chosen rows. */
function sliceBlock(rows: Matrix, chosen: Int32Array, first: number, last: number): Matrix {
  const slice = new Matrix(chosen.length, last - first, rows.runtime);
  const [from, to] = [rows.data, slice.data];
  let next = 0;
  for (const row of chosen) {
    for (let t = first; t < last; t++) to[next++] = from[row * rows.dimensions + t]!;
  }
  return slice;
}
