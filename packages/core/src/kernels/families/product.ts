/** Product codes. Formulas and layouts: packages/core/assembly/product.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of encodeProduct. */
export const ENCODE_PRODUCT = {
  name: 'encodeProduct',
  fields: {
    /** [n, d] float32. */
    residuals: 'usize',
    /** [n, d] float32: the original vectors of the residuals; 0: plain codes. */
    originals: 'usize',
    d: 'i32',
    /** [d, codewords] float32. */
    words: 'usize',
    /** Codewords of a block, a multiple of 16. */
    codewords: 'i32',
    /** Dimensions of a block. */
    width: 'i32',
    /** η: weight of the error parallel to the original vector. */
    eta: 'f32',
    /** [n, blocks] bytes, written. */
    codes: 'usize',
    scratch: 'usize',
    /** Bytes of a slot's scratch. */
    scratchStride: 'usize',
  },
} as const;

/** The kernel of product codes. */
export interface ProductKernels {
  /** Codes of residuals, plain or anisotropic. Items: points. */
  encodeProduct(begin: number, end: number, slot: number, call: RecordAddress<typeof ENCODE_PRODUCT>): void;
}
