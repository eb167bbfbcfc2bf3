/** Properties of whole arrays. Formulas and layouts: packages/core/assembly/checks.ts. */

/** The checks kernels. */
export interface CheckKernels {
  /** The index of the first float that is NaN or infinite; −1 when all are finite. */
  findNotFinite(values: number, length: number): number;
}
