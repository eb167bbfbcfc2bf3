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
    /** [n] int32: the row of each gradient, no row twice; with `all` the gradient of each of the V rows, or −1. */
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
    /** 1 − β1 and 1 − β2, rounded once. */
    take1: 'f32',
    take2: 'f32',
    /** 1: every row is stepped; 0: those that `rows` names. */
    all: 'i32',
    /** [d] zeros, the gradient of rows without one. */
    zeros: 'usize',
  },
} as const;

/** A call of momentumRows. */
export const MOMENTUM_ROWS = {
  name: 'momentumRows',
  fields: {
    /** [V, d] float32, stepped in place. */
    parameters: 'usize',
    /** [V, d] float32. */
    moments: 'usize',
    /** [n] int32: the row of each gradient, no row twice. */
    rows: 'usize',
    /** [n, stride] float32. */
    gradients: 'usize',
    stride: 'i32',
    d: 'i32',
    /** Learning rate. */
    rate: 'f32',
    momentum: 'f32',
    /** 1 or 0. */
    nesterov: 'i32',
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
  /** a += mean(g²); p −= rate · g / (sqrt(a) + epsilon), one a for each row. Items: rows of the gradient. */
  rowWiseAdagradRows(
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
  /** m ← momentum · m − rate · g; p += m, or Nesterov's form. Items: rows of the gradient. */
  momentumRows(begin: number, end: number, slot: number, call: RecordAddress<typeof MOMENTUM_ROWS>): void;
  /** Adam with moments and powers in one state row of 2d + 2 floats. Items: rows of the gradient, or all rows. */
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
  /** p −= p · share. Items: rows. */
  decayRows(begin: number, end: number, slot: number, parameters: number, rows: number, d: number, share: number): void;
  /** squares[i] = Σ gradients[i]² in float64. Items: rows of the gradient. */
  squareRows(
    begin: number,
    end: number,
    slot: number,
    gradients: number,
    stride: number,
    d: number,
    squares: number,
  ): void;
  /** out[i] = gradients[i] · scale, brought into ±limit. Items: rows of the gradient. */
  clipRows(
    begin: number,
    end: number,
    slot: number,
    gradients: number,
    stride: number,
    d: number,
    scale: number,
    limit: number,
    out: number,
  ): void;
}
