/**
 * Stochastic gradient descent on distinct rows, with optional momentum.
 *
 *   p ← p − learningRate · g
 *   with momentum: m ← momentum · m − learningRate · g;   p ← p + m
 *   with Nesterov's look-ahead: p ← p + momentum · m − learningRate · g
 *
 * Source: Keras's SGD; Sutskever and others, ICML 2013. Rows that a step does not name keep p and m, as in TensorFlow's
 * sparse update; Keras 3 moves all rows.
 */

import { checkNumber } from '../checks/numbers.ts';
import { BOOLEAN, NUMBER, optionsCheck } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { Matrix } from '../vectors/matrix.ts';
import { checkRange } from './check-step.ts';
import { GRAIN_ROWS } from './row-numbers.ts';
import { ROW_OPTIMIZER, RowOptimizer, type RowOptimizerOptions } from './row-optimizer.ts';

/** Options of SGD; the defaults are Keras's: a learning rate of 0.01, no momentum. */
export interface SgdOptions extends RowOptimizerOptions {
  /** The share of the last move that is made again, from 0 to 1; default 0. */
  momentum?: number;
  /** Nesterov's look-ahead; default false. */
  nesterov?: boolean;
}

const checkOptions = optionsCheck<SgdOptions>('Sgd', { ...ROW_OPTIMIZER, momentum: NUMBER, nesterov: BOOLEAN });

/** Stochastic gradient descent. It keeps one moment per parameter where it has momentum, and otherwise no state. */
export class Sgd extends RowOptimizer {
  readonly name = 'sgd';
  readonly momentum: number;
  readonly nesterov: boolean;

  /** @throws {OptionError} when an option is unknown or out of range, or `nesterov` is set without momentum */
  constructor(options: SgdOptions = {}) {
    const { momentum = 0, nesterov = false } = checkOptions(options);
    super(options, 0.01);
    this.momentum = checkNumber('momentum', momentum, 0, 1);
    this.nesterov = nesterov;
    if (nesterov && momentum === 0) throw new OptionError('nesterov: expected a momentum above 0 beside it, got none');
  }

  protected update(parameters: Matrix, rows: Int32Array, gradients: Matrix): void {
    const { runtime, dimensions } = parameters;
    const at = this.writeRows(rows, runtime);
    const pool = modelPool(runtime);
    const { offset, dimensions: stride } = gradients;
    if (this.momentum === 0) {
      const of = [parameters.offset, at, offset, stride, dimensions, this.learningRate] as const;
      pool.run('sgdRows', rows.length, GRAIN_ROWS, ...of);
      return;
    }
    pool.run('momentumRows', rows.length, GRAIN_ROWS, {
      parameters: parameters.offset,
      moments: this.state(parameters)!.offset,
      rows: at,
      gradients: offset,
      stride,
      d: dimensions,
      rate: this.learningRate,
      momentum: this.momentum,
      nesterov: this.nesterov ? 1 : 0,
    });
  }

  protected newState({ rows, dimensions, runtime }: Matrix): Matrix | undefined {
    return this.momentum === 0 ? undefined : new Matrix(rows, dimensions, runtime);
  }

  /** Set the moments of rows [from, to) to 0. */
  resetState(parameters: Matrix, from = 0, to?: number): void {
    const end = checkRange(parameters, from, to);
    this.state(parameters)?.data.fill(0, from * parameters.dimensions, end * parameters.dimensions);
  }
}
