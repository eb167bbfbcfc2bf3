/** Valid calls of the optimizers: the object that a method belongs to, and its arguments. */

import { query, runtime } from './fixtures.ts';
import * as core from './public-api.ts';
import type { Call } from './wrong-arguments.ts';

const rows = (): core.Matrix => core.Matrix.from('rows', [query, query], runtime);
const ids = Int32Array.of(0, 1);
const parameters = rows();
const named = [{ kind: 'tables', names: ['word'], matrices: [parameters] }] as const;

function groups(): core.ParameterGroups {
  const made = new core.ParameterGroups({});
  made.bind(named);
  return made;
}

function optimizer(name: string, make: () => object): Record<string, Call> {
  return {
    [name]: { arguments: () => [{}] },
    [`${name}.step`]: { of: make, arguments: () => [parameters, ids, rows()] },
    [`${name}.state`]: { of: make, arguments: () => [parameters] },
    [`${name}.resetState`]: { of: make, arguments: () => [parameters, 0, 1] },
    [`${name}.beginStep`]: { of: make, arguments: () => [0] },
  };
}

export const OPTIMIZER_CALLS: Readonly<Record<string, Call>> = {
  ...optimizer('Adagrad', () => new core.Adagrad()),
  ...optimizer('RowWiseAdagrad', () => new core.RowWiseAdagrad()),
  ...optimizer('Adam', () => new core.Adam()),
  ...optimizer('LazyAdam', () => new core.LazyAdam()),
  ...optimizer('Sgd', () => new core.Sgd()),
  ...optimizer('ParameterGroups', groups),
  'ParameterGroups.bind': { of: groups, arguments: () => [named] },
  'ParameterGroups.isFrozen': { of: groups, arguments: () => [parameters] },
  learningRateAt: { arguments: () => [0.1, 3] },
  makeOptimizer: { arguments: () => [{ method: 'adam' }] },
};
