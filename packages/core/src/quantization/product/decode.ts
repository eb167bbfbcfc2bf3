/** Decodes product codes to vectors. */

import { BYTES, checkArgument } from '../../checks/arguments.ts';
import { objectWith } from '../../checks/options.ts';
import { OptionError, ShapeError } from '../../errors/errors.ts';
import { Matrix } from '../../vectors/matrix.ts';
import type { ProductCodebook } from './codebook.ts';

/**
 * The vectors that codes represent.
 *
 * @param codes [n, M], one code a byte, point by point
 * @returns [n, d]
 * @throws {ShapeError} when the number of codes is not a multiple of M
 * @throws {OptionError} when a code is not below the number of codewords
 */
export function decodeProduct(codebook: ProductCodebook, codes: Uint8Array): Matrix {
  checkArgument(
    'codebook',
    codebook,
    objectWith('a product codebook', 'dimensions', 'blocks', 'codewords', 'starts', 'words'),
  );
  checkArgument('codes', codes, BYTES);
  const { dimensions: d, blocks, codewords, starts, words } = codebook;
  if (codes.length % blocks !== 0) {
    throw new ShapeError(`codes: expected a whole number of points of ${blocks} codes, got ${codes.length}`);
  }
  const bad = codes.findIndex((code) => code >= codewords);
  if (bad >= 0) {
    throw new OptionError(
      `codes: expected numbers below ${codewords}, got ${codes[bad]} in point ${Math.floor(bad / blocks)}`,
    );
  }
  const decoded = new Matrix(codes.length / blocks, d, words.runtime);
  const [from, to] = [words.data, decoded.data];
  for (let i = 0, at = 0; at < to.length; i += blocks) {
    for (let b = 0; b < blocks; b++) {
      for (let t = starts[b]!; t < starts[b + 1]!; t++) to[at++] = from[t * codewords + codes[i + b]!]!;
    }
  }
  return decoded;
}
