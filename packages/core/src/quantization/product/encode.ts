/**
 * Encodes vectors as product codes: the nearest codewords, or those that minimise the error of inner products (arXiv
 * 1908.10396):
 *
 *   min η·|e∥|² + |e⊥|²,   e = residual − decoded, ∥ along the original vector x
 *
 * by coordinate descent as ScaNN's asymmetric hashing does it (assembly/product.ts).
 */

import { checkArgument } from '../../checks/arguments.ts';
import { checkNumber } from '../../checks/numbers.ts';
import { NUMBER, objectWith, optionsCheck } from '../../checks/options.ts';
import { ShapeError } from '../../errors/errors.ts';
import type { Block } from '../../memory/heap.ts';
import { modelPool } from '../../parallel/model-pool.ts';
import { checkFinite } from '../../vectors/check-finite.ts';
import { MATRIX, type Matrix } from '../../vectors/matrix.ts';
import type { ProductCodebook } from './codebook.ts';

/** Points a thread claims: enough work to outweigh the claim. */
const GRAIN = 256;

/** Options of `encodeProduct`. */
export interface ProductEncodingOptions {
  /** [n, d] the original vectors of the residuals; without them the nearest codewords are used. */
  originals?: Matrix;
  /** η, at least 1: weight of the error parallel to x; default 1: the nearest codewords. */
  eta?: number;
}

const checkOptions = optionsCheck<ProductEncodingOptions>('encodeProduct', {
  originals: objectWith('a Matrix', 'rows', 'dimensions'),
  eta: NUMBER,
});

/**
 * Encode residuals.
 *
 * @param residuals [n, d], of the codebook's runtime
 * @returns [n, M], one code a byte, point by point
 * @throws {ShapeError} when widths or counts differ
 * @throws {OptionError} when eta is below 1
 * @throws {NotFiniteError} when a number is NaN or infinite
 */
export function encodeProduct(
  codebook: ProductCodebook,
  residuals: Matrix,
  options: ProductEncodingOptions = {},
): Uint8Array {
  checkArgument(
    'codebook',
    codebook,
    objectWith('a product codebook', 'dimensions', 'blocks', 'codewords', 'starts', 'words'),
  );
  checkArgument('residuals', residuals, MATRIX);
  checkOptions(options);
  const size = residuals.rows * codebook.blocks;
  const codes = residuals.runtime.heap.allocate(size);
  try {
    encodeProductInto(codebook, residuals, codes, options);
    return codes.bytes().slice(0, size);
  } finally {
    codes.free();
  }
}

/**
 * `encodeProduct` into a block of the linear memory of at least n · M bytes.
 *
 * @throws as `encodeProduct`
 */
export function encodeProductInto(
  codebook: ProductCodebook,
  residuals: Matrix,
  codes: Block,
  { originals, eta = 1 }: ProductEncodingOptions = {},
): void {
  const { dimensions: d, blocks, codewords, dimensionsPerBlock, words } = codebook;
  const { rows: n, runtime } = residuals;
  if (residuals.dimensions !== d) {
    throw new ShapeError(`residuals: expected ${d} dimensions, got ${residuals.dimensions}`);
  }
  if (originals && (originals.dimensions !== d || originals.rows !== n)) {
    const got = `${originals.rows} of ${originals.dimensions}`;
    throw new ShapeError(`originals: expected ${n} of ${d} dimensions, got ${got}`);
  }
  if (codes.sizeBytes < n * blocks) {
    throw new ShapeError(`codes: expected a block of ${n * blocks} bytes, got ${codes.sizeBytes}`);
  }
  checkNumber('eta', eta, 1);
  checkFinite('residuals', residuals);
  if (originals) checkFinite('originals', originals);
  const stride = 64 * Math.ceil((8 * blocks * (codewords + 1)) / 64);
  const scratch = runtime.heap.allocate(stride * runtime.pool.threads);
  modelPool(runtime).run('encodeProduct', n, GRAIN, {
    residuals: residuals.offset,
    originals: originals?.offset ?? 0,
    d,
    words: words.offset,
    codewords,
    width: dimensionsPerBlock,
    eta,
    codes: codes.offset,
    scratch: scratch.offset,
    scratchStride: stride,
  });
  scratch.free();
}
