/** Makes the optimizer that plain JSON describes. */

import { nearestName } from '../checks/nearest-name.ts';
import { shown } from '../checks/numbers.ts';
import { objectWith } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import { Adagrad, type AdagradOptions, RowWiseAdagrad, type RowWiseAdagradOptions } from './adagrad.ts';
import { Adam, type AdamOptions, LazyAdam } from './adam.ts';
import type { SparseOptimizer } from './contract.ts';
import { Sgd, type SgdOptions } from './sgd.ts';

/** An optimizer as plain JSON: its method, and the options of its class. */
export type OptimizerSpec =
  | ({ method: 'adagrad' } & AdagradOptions)
  | ({ method: 'row-wise-adagrad' } & RowWiseAdagradOptions)
  | ({ method: 'adam' } & AdamOptions)
  | ({ method: 'lazy-adam' } & AdamOptions)
  | ({ method: 'sgd' } & SgdOptions);

const MAKERS: { readonly [M in OptimizerSpec['method']]: (options: object) => SparseOptimizer } = {
  adagrad: (options) => new Adagrad(options),
  'row-wise-adagrad': (options) => new RowWiseAdagrad(options),
  adam: (options) => new Adam(options),
  'lazy-adam': (options) => new LazyAdam(options),
  sgd: (options) => new Sgd(options),
};

const OPTIMIZER = objectWith('an optimizer', 'step', 'beginStep', 'endStep', 'state');

/** True for an object that is an optimizer and no description of one. */
export function isOptimizer(value: object): value is SparseOptimizer {
  return OPTIMIZER.accepts(value);
}

/**
 * The optimizer of a spec; an optimizer is returned as it is.
 *
 * @throws {OptionError} when the method or an option is unknown, or an option is out of range
 */
export function makeOptimizer(spec: SparseOptimizer | OptimizerSpec): SparseOptimizer {
  if (typeof spec !== 'object' || spec === null) {
    throw new OptionError(`optimizer: expected an optimizer or its options with a method, got ${shown(spec)}`);
  }
  if (isOptimizer(spec)) return spec;
  const { method, ...options } = spec;
  if (typeof method === 'string' && Object.hasOwn(MAKERS, method)) return MAKERS[method](options);
  const known = Object.keys(MAKERS);
  const near = typeof method === 'string' ? nearestName(method, known) : undefined;
  const expected = near === undefined ? `one of ${known.join(', ')}` : `a known method, nearest is ${near}`;
  throw new OptionError(`optimizer.method: expected ${expected}, got ${shown(method)}`);
}
