/** Sparse steps on distinct rows. Formulas and layouts: packages/core/assembly/optimizers.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of adamRows. */
export const ADAM_ROWS = {
  name: 'adamRows',
  fields: {
    /** [V, d] float32, stepped in place. */
    parameters: 'usize',
    /** [V, 2d + 2] float32: m, v, β1^t and β2^t of each row. */
    state: 'usize',
    /** [n] int32: the row of each gradient, no row twice. */
    rows: 'usize',
    /** [n, stride] float32. */
    gradients: 'usize',
    stride: 'i32',
    d: 'i32',
    /** Learning rate. */
    rate: 'f32',
    beta1: 'f32',
    beta2: 'f32',
    epsilon: 'f32',
    /** Weight decay. */
    decay: 'f32',
  },
} as const;

/** The kernels of the optimizers. */
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
  adamRows(begin: number, end: number, slot: number, call: RecordAddress<typeof ADAM_ROWS>): void;
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
