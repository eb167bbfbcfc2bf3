/** Every optimizer, clipping and schedule against the figures of Keras 3 after each of six steps (golden/optimizers.py). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SparseOptimizer } from '../../src/optimizers/contract.ts';
import { type LearningRateSchedule, learningRateAt } from '../../src/optimizers/learning-rate.ts';
import { makeOptimizer, type OptimizerSpec } from '../../src/optimizers/make-optimizer.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { golden } from '../golden/golden.ts';
import { VARIANTS } from '../kernels/variants.ts';

type Rows = number[][];

const KERAS = golden<{
  start: Rows;
  gradients: Rows[];
  named: number[][];
  cases: Record<string, Rows[]>;
  globalClipNorm: [Rows, Rows][];
  schedules: Record<string, number[]>;
}>('optimizers');

const SPECS: Record<string, OptimizerSpec> = {
  adagrad: { method: 'adagrad', learningRate: 0.1 },
  'adagrad weightDecay': { method: 'adagrad', learningRate: 0.1, weightDecay: 0.05 },
  rowWiseAdagrad: { method: 'row-wise-adagrad', learningRate: 0.1 },
  sgd: { method: 'sgd', learningRate: 0.1 },
  'sgd momentum': { method: 'sgd', learningRate: 0.1, momentum: 0.9 },
  'sgd nesterov': { method: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true },
  adam: { method: 'adam', learningRate: 0.01 },
  'adam weightDecay': { method: 'adam', learningRate: 0.01, weightDecay: 0.1 },
  'adam named': { method: 'adam', learningRate: 0.01 },
  'lazyAdam named': { method: 'lazy-adam', learningRate: 0.01 },
  'sgd clipNorm': { method: 'sgd', learningRate: 0.1, clipNorm: 0.7 },
  'sgd clipValue': { method: 'sgd', learningRate: 0.1, clipValue: 0.3 },
  'adagrad exponentialDecay': {
    method: 'adagrad',
    learningRate: { schedule: 'exponential-decay', initialLearningRate: 0.1, decaySteps: 4, decayRate: 0.5 },
  },
};

/** The steps as `fit` makes them; the gradients have three columns more than the parameters. */
function stepAll(
  optimizer: SparseOptimizer,
  step: number,
  matrices: Matrix[],
  gradients: Rows[],
  rows: number[],
): void {
  optimizer.beginStep?.(step);
  matrices.forEach((matrix, i) => {
    const wide = gradients[i]!.map((row) => [...row, 9, 9, 9]);
    const own = matrices.length > 1 ? wide.map((_, row) => row) : rows;
    const taken = Matrix.from(
      'gradients',
      own.map((row) => wide[row]!),
      matrix.runtime,
    );
    optimizer.step(matrix, Int32Array.from(own), taken);
    // Gradients are the caller's: an optimizer that still needs them has copied them.
    taken.data.fill(Number.NaN);
  });
  optimizer.endStep?.();
}

function assertNear(matrix: Matrix, expected: Rows, name: string): void {
  expected.flat().forEach((value, i) => {
    const difference = Math.abs(matrix.data[i]! - value);
    assert.ok(difference <= 4e-7 * (1 + Math.abs(value)), `${name}, number ${i}: ${matrix.data[i]}, not ${value}`);
  });
}

/** The rows that a step names. */
function namedRows(name: string, step: number): number[] {
  return name.endsWith('named') ? KERAS.named[step]! : KERAS.start.map((_, row) => row);
}

/** The parameters after all steps, each compared with Keras's. */
function compare(name: string, runtime: Runtime): Float32Array {
  const optimizer = makeOptimizer(SPECS[name]!);
  const parameters = Matrix.from('start', KERAS.start, runtime);
  KERAS.gradients.forEach((gradients, step) => {
    stepAll(optimizer, step, [parameters], [gradients], namedRows(name, step));
    assertNear(parameters, KERAS.cases[name]![step]!, `${name}, step ${step}`);
  });
  return parameters.data.slice();
}

const reference = new Map(Object.keys(SPECS).map((name) => [name, compare(name, VARIANTS[0]!.runtime)]));

for (const { variant, runtime, skip } of VARIANTS) {
  test(`optimizers, ${variant}: Keras's figures after every step, and the reference's bits`, { skip }, () => {
    assert.deepEqual(Object.keys(SPECS).sort(), Object.keys(KERAS.cases).sort());
    for (const name of Object.keys(SPECS)) assert.deepEqual(compare(name, runtime), reference.get(name), name);
  });

  test(`globalClipNorm, ${variant}: Keras's figures for two matrices`, { skip }, () => {
    const optimizer = makeOptimizer({ method: 'sgd', learningRate: 0.1, globalClipNorm: 1.5 });
    const a = Matrix.from('a', KERAS.start, runtime);
    const b = Matrix.from(
      'b',
      KERAS.start.slice(0, 2).map((row) => row.map((value) => 2 * value)),
      runtime,
    );
    KERAS.gradients.forEach((gradients, step) => {
      const ofB = gradients.slice(0, 2).map((row) => row.map((value) => 3 * value));
      stepAll(optimizer, step, [a, b], [gradients, ofB], []);
      assertNear(a, KERAS.globalClipNorm[step]![0], `a, step ${step}`);
      assertNear(b, KERAS.globalClipNorm[step]![1], `b, step ${step}`);
    });
  });
}

test("learning rates: Keras's at every step", () => {
  const decay = { initialLearningRate: 0.5, decaySteps: 10 };
  const schedules: Record<string, LearningRateSchedule> = {
    exponentialDecay: { schedule: 'exponential-decay', ...decay, decayRate: 0.9 },
    staircase: { schedule: 'exponential-decay', ...decay, decayRate: 0.9, staircase: true },
    cosineDecay: { schedule: 'cosine-decay', ...decay, alpha: 0.1 },
    warmup: { schedule: 'cosine-decay', ...decay, alpha: 0.1, warmupSteps: 5, warmupLearningRate: 0.1 },
  };
  for (const [name, schedule] of Object.entries(schedules)) {
    KERAS.schedules[name]!.forEach((rate, step) => {
      assert.ok(Math.abs(learningRateAt(schedule, step) - rate) < 1e-7, `${name}, step ${step}`);
    });
  }
  const constant = { schedule: 'constant' as const, initialLearningRate: 1, warmupSteps: 4 };
  assert.deepEqual(
    [0, 1, 4, 99].map((step) => learningRateAt(constant, step)),
    [0, 0.25, 1, 1],
  );
});

test('impossible options and misspelled ones are named', () => {
  const refused = (spec: object, message: RegExp): void => {
    assert.throws(() => makeOptimizer(spec as OptimizerSpec), message);
  };
  refused({ method: 'adgrad' }, /optimizer\.method: expected a known method, nearest is adagrad, got "adgrad"/);
  refused({ method: 'sgd', momentun: 0.9 }, /nearest is momentum/);
  refused({ method: 'sgd', nesterov: true }, /momentum above 0/);
  refused({ method: 'sgd', clipNorm: 1, clipValue: 1 }, /expected one of clipNorm, globalClipNorm and clipValue/);
  refused({ method: 'adam', learningRate: { schedule: 'cosine' } }, /learningRate\.schedule: expected one of constant/);
  refused(
    { method: 'adam', learningRate: { schedule: 'constant', initialLearningRate: 1, warmup: 3 } },
    /nearest is warmupSteps/,
  );
  refused({ method: 'row-wise-adagrad', epsilon: 0 }, /epsilon/);
  const clipped = makeOptimizer({ method: 'sgd', globalClipNorm: 1 });
  const matrix = new Matrix(1, 2, VARIANTS[0]!.runtime);
  assert.throws(() => clipped.step(matrix, Int32Array.of(0), matrix), /globalClipNorm: expected step between/);
  const byNorm = makeOptimizer({ method: 'sgd', clipNorm: 1 });
  const infinite = Matrix.from('g', [[1, Number.MAX_VALUE]], VARIANTS[0]!.runtime);
  infinite.data[1] = Number.POSITIVE_INFINITY;
  assert.throws(() => byNorm.step(matrix, Int32Array.of(0), infinite), /finite norm/);
  assert.deepEqual([...matrix.data], [0, 0]);
});
