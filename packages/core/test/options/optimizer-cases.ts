/** Options objects of optimizers, their schedules and parameter groups. */
import { type Case, factorization, machine, tower } from './fixtures.ts';
import * as core from './public-api.ts';

type Call = Case['call'];

const OPTIMIZERS: Record<string, Call> = {
  Adagrad: (o) => new core.Adagrad(o),
  Adam: (o) => new core.Adam(o),
  LazyAdam: (o) => new core.LazyAdam(o),
  RowWiseAdagrad: (o) => new core.RowWiseAdagrad(o),
  Sgd: (o) => new core.Sgd(o),
};

/** A schedule in place of a number. */
function schedule(call: (learningRate: never) => unknown): Case {
  return {
    valid: { schedule: 'constant', initialLearningRate: 1 },
    typo: ['warmup', 'warmupSteps'],
    call,
    refused: [null],
  };
}

/** An optimizer as plain JSON. */
function spec(call: Call): Case {
  return { valid: { method: 'adagrad' }, typo: ['learnRate', 'learningRate'], call };
}

/** The option `optimizer` of a model, or the groups themselves. */
function groups(name: string, call: Call): Record<string, Case> {
  return {
    [name]: { valid: { tables: 'frozen' }, typo: ['layer', 'layers'], call },
    [`${name}.tables`]: spec((tables) => call({ tables } as never)),
    [`${name}.layers`]: spec((layers) => call({ layers } as never)),
  };
}

const inModel: Call = (optimizer) =>
  new core.TwoTowerModel({ queryTower: tower(), candidateTower: tower(), optimizer });
const inFactorization: Call = (optimizer) => {
  const { queryTable, candidateTable } = factorization();
  return new core.MatrixFactorization({ queryTable, candidateTable, optimizer });
};
const inMachine: Call = (optimizer) => new core.FactorizationMachine({ tables: machine().tables, optimizer });
const inGroups: Call = (o) => new core.ParameterGroups(o);
const adagrad = (learningRate: never): object => ({ method: 'adagrad', learningRate });

export const OPTIMIZER_CASES: Record<string, Case> = {
  ...Object.fromEntries(
    Object.entries(OPTIMIZERS).flatMap(([name, call]): [string, Case][] => [
      [`${name}(options)`, { valid: {}, typo: ['learning_rate', 'learningRate'], call }],
      [`${name}(options).learningRate`, schedule((learningRate) => call({ learningRate } as never))],
    ]),
  ),
  'learningRateAt(learningRate)': schedule((learningRate) => core.learningRateAt(learningRate, 0)),
  'makeOptimizer(spec)': spec((o) => core.makeOptimizer(o)),
  'makeOptimizer(spec).learningRate': schedule((rate) => core.makeOptimizer(adagrad(rate) as never)),
  ...groups('ParameterGroups(options)', inGroups),
  'ParameterGroups(options).tables.learningRate': schedule((rate) => inGroups({ tables: adagrad(rate) } as never)),
  'ParameterGroups(options).layers.learningRate': schedule((rate) => inGroups({ layers: adagrad(rate) } as never)),
  ...groups('TwoTowerModel(options).optimizer', inModel),
  'TwoTowerModel(options).optimizer.learningRate': schedule((rate) => inModel(adagrad(rate) as never)),
  ...groups('MatrixFactorization(options).optimizer', inFactorization),
  'MatrixFactorization(options).optimizer.learningRate': schedule((rate) => inFactorization(adagrad(rate) as never)),
  ...groups('FactorizationMachine(options).optimizer', inMachine),
  'FactorizationMachine(options).optimizer.learningRate': schedule((rate) => inMachine(adagrad(rate) as never)),
};
