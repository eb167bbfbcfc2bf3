/**
 * The contract of every sparse optimizer: one step on some rows of one parameter matrix.
 *
 * As with Keras's IndexedSlices, rows are distinct: the caller sums the gradients of duplicates, and the sum is squared
 * once. A step changes only the named rows and their state; `Adam` alone changes all rows, as Keras's does.
 */
import { type OptionType, objectWith } from '../checks/options.ts';
import type { Matrix } from '../vectors/matrix.ts';

/** The type of an argument that is an optimizer. */
export const OPTIMIZER: OptionType = objectWith('an optimizer', 'step');

/** Steps rows of parameter matrices and keeps one state per matrix. */
export interface SparseOptimizer {
  /** 'adagrad', 'row-wise-adagrad', 'adam', 'lazy-adam', 'sgd', … */
  readonly name: string;
  learningRate: number;
  /** Begin training step `step`, from 0: set the learning rate of a schedule. Called before the step's gradients. */
  beginStep(step: number): void;
  /** End a training step. Where gradients are clipped by their global norm, the parameters are stepped only now. */
  endStep(): void;
  /** parameters[rows[i]] −= step(gradients[i]); rows are distinct; the row stride of gradients may exceed that of parameters. */
  step(parameters: Matrix, rows: Int32Array, gradients: Matrix): void;
  /** The state of a parameter matrix (Adagrad: the accumulator), made at the first use; undefined where it has none. */
  state(parameters: Matrix): Matrix | undefined;
  /** Make the states of rows [from, to) equal, after the rows got another meaning. */
  resetState(parameters: Matrix, from?: number, to?: number): void;
  /** Bytes of state kept so far. */
  stateBytes(): number;
}
