/** Product codes. Formulas and layouts: packages/core/assembly/product.ts. */

/** The product kernels. */
export interface ProductKernels {
  /** Codes of residuals, plain or anisotropic. Items: points. */
  encodeProduct(
    begin: number,
    end: number,
    slot: number,
    residuals: number,
    originals: number,
    d: number,
    words: number,
    codewords: number,
    width: number,
    eta: number,
    codes: number,
    scratch: number,
    scratchStride: number,
  ): void;
}
