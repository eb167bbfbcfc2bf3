/**
 * The contract of every sparse optimizer: one step on some rows of one parameter matrix.
 *
 * Only the rows named move, and only their state (Keras's IndexedSlices semantics: rows are distinct, gradients of
 * duplicates were summed by the caller, and are squared once).
 */
import type { Matrix } from '../vectors/matrix.ts';

/** Steps rows of parameter matrices; keeps one state a matrix. */
export interface SparseOptimizer {
  /** 'adagrad', 'adam', 'sgd' */
  readonly name: string;
  learningRate: number;
  /** parameters[rows[i]] −= step(gradients[i]); rows are distinct; the row stride of gradients may exceed that of parameters. */
  step(parameters: Matrix, rows: Int32Array, gradients: Matrix): void;
  /** The state kept for a parameter matrix (Adagrad: the accumulator), made where there is none; undefined for SGD. */
  state(parameters: Matrix): Matrix | undefined;
  /** Forget what rows [from, to) meant: their states become equal. */
  resetState(parameters: Matrix, from?: number, to?: number): void;
  /** Bytes of state kept so far. */
  stateBytes(): number;
}
