/** Sparse steps on distinct rows. Formulas and layouts: packages/core/assembly/optimizers.ts. */

/** The optimizers kernels. */
export interface OptimizerKernels {
  /** a += g²; p −= rate · g / sqrt(a + epsilon). Items: rows of the gradient. */
  adagradRows(
    begin: number,
    end: number,
    slot: number,
    parameters: number,
    accumulators: number,
    rows: number,
    gradients: number,
    stride: number,
    d: number,
    rate: number,
    epsilon: number,
  ): void;
  /** p −= rate · g. Items: rows of the gradient. */
  sgdRows(
    begin: number,
    end: number,
    slot: number,
    parameters: number,
    rows: number,
    gradients: number,
    stride: number,
    d: number,
    rate: number,
  ): void;
}
