/** Products added to a symmetric matrix. Formulas and layouts: packages/core/assembly/symmetric.ts. */

/** The symmetric kernel. */
export interface SymmetricKernels {
  /** C += A · packedᵀ in its upper half. Items: blocks of 16 rows. */
  addSymmetric(
    begin: number,
    end: number,
    slot: number,
    a: number,
    d: number,
    packed: number,
    panels: number,
    c: number,
  ): void;
}
