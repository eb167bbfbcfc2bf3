/** Adagrad and SGD: Keras's figures, duplicates summed by the caller, unchanged rows that a step does not name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Adagrad } from '../../src/optimizers/adagrad.ts';
import { Sgd } from '../../src/optimizers/sgd.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { golden } from '../golden/golden.ts';
import { VARIANTS } from '../kernels/variants.ts';

interface AdagradGolden {
  lr: number;
  initial_accumulator: number;
  epsilon: number;
  table: number[][];
  indices: number[];
  grads: number[][];
  table_after: number[][];
  accumulator_after: number[][];
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`Adagrad, ${variant}: Keras's figures for duplicate rows`, { skip }, () => {
    const keras = golden<{ adagrad: AdagradGolden }>('tfrs-training').adagrad;
    const table = Matrix.from('table', keras.table, runtime);
    const optimizer = new Adagrad({
      learningRate: keras.lr,
      initialAccumulatorValue: keras.initial_accumulator,
      epsilon: keras.epsilon,
    });
    const summed = new Map<number, number[]>();
    keras.indices.forEach((row, i) => {
      const sum = summed.get(row) ?? [0, 0];
      summed.set(
        row,
        sum.map((value, t) => value + keras.grads[i]![t]!),
      );
    });
    optimizer.step(table, Int32Array.from(summed.keys()), Matrix.from('gradients', [...summed.values()], runtime));
    const near = (matrix: Matrix, expected: number[][]): void =>
      expected.flat().forEach((value, i) => {
        assert.ok(Math.abs(matrix.data[i]! - value) <= 1e-6 * Math.abs(value), `${matrix.data[i]} is not ${value}`);
      });
    near(table, keras.table_after);
    near(optimizer.state(table), keras.accumulator_after);
  });

  test(`optimizers, ${variant}: equal to the plain formula on odd widths and padded gradients`, { skip }, () => {
    const parameters = Matrix.from(
      'p',
      [
        [1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10],
        [1, 1, 1, 1, 1],
      ],
      runtime,
    );
    const gradients = Matrix.from(
      'g',
      [
        [1, -1, 0.5, 2, 0, 99, 99, 99],
        [0, 1, 0, 1, 4, 99, 99, 99],
      ],
      runtime,
    );
    const rows = Int32Array.of(2, 0);
    new Sgd({ learningRate: 0.5 }).step(parameters, rows, gradients);
    assert.deepEqual([...parameters.data], [1, 1.5, 3, 3.5, 3, 6, 7, 8, 9, 10, 0.5, 1.5, 0.75, 0, 1]);
    const adagrad = new Adagrad({ learningRate: 0.5, initialAccumulatorValue: 0, epsilon: 0 });
    adagrad.step(
      Matrix.from('q', [[0, 0, 0, 0, 0]], runtime),
      Int32Array.of(0),
      Matrix.from('g', [[3, -2, 1, 5, 1]], runtime),
    );
    assert.equal(adagrad.stateBytes(), 20);
  });
}

test('options out of range are named', () => {
  assert.throws(() => new Adagrad({ learningRate: 0 }), /learningRate/);
  assert.throws(() => new Adagrad({ epsilon: -1 }), /epsilon/);
  assert.throws(() => new Sgd({ learningRate: Number.NaN }), /learningRate/);
});
