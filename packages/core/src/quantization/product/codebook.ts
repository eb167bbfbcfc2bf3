/** The codewords of a product quantizer. */
import type { Matrix } from '../../vectors/matrix.ts';

/**
 * A product codebook: a vector of d dimensions is divided into M blocks of consecutive dimensions, and each block is
 * represented by one of K codewords (Jégou, Douze, Schmid, "Product quantization for nearest neighbor search", TPAMI
 * 2011).
 */
export interface ProductCodebook {
  /** d. */
  dimensions: number;
  dimensionsPerBlock: number;
  /** M = ⌈d / dimensionsPerBlock⌉; the last block is smaller where that is no whole number. */
  blocks: number;
  /** K: 16, a code of 4 bits, or 256, one of 8. */
  codewords: 16 | 256;
  /** [M + 1] first dimension of each block, then d. */
  starts: Int32Array;
  /** [d, K]; row t holds dimension t of the K codewords of the block that t is in. */
  words: Matrix;
}
