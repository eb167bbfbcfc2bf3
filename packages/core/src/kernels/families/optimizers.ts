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
  /** Adam with moments and powers in one state row of 2d + 2 floats. Items: rows of the gradient. */
  adamRows(
    begin: number,
    end: number,
    slot: number,
    parameters: number,
    state: number,
    rows: number,
    gradients: number,
    stride: number,
    d: number,
    rate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    decay: number,
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
