/** Adam and lazy Adam: the rows that a step moves, and states that are reset. The figures are in keras.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Adam, LazyAdam } from '../../src/optimizers/adam.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { VARIANTS } from '../kernels/variants.ts';

const D = 7;
const { runtime } = VARIANTS[0]!;

function ones(rows: number): Matrix {
  const matrix = new Matrix(rows, D, runtime);
  matrix.data.fill(1);
  return matrix;
}

test('Adam moves every row that has a moment, lazy Adam the named rows alone', () => {
  for (const [optimizer, moved] of [
    [new Adam(), true],
    [new LazyAdam(), false],
  ] as const) {
    const parameters = ones(3);
    optimizer.step(parameters, Int32Array.of(0), ones(1));
    const before = parameters.row(0).slice();
    optimizer.step(parameters, Int32Array.of(1), ones(1));
    assert.equal(parameters.row(0)[0] !== before[0], moved, optimizer.name);
    assert.deepEqual(parameters.row(2), ones(1).row(0), 'a row without a moment stays');
  }
});

test('Adam decays every row, lazy Adam the named rows alone', () => {
  for (const [optimizer, expected] of [
    [new Adam({ learningRate: 0.5, weightDecay: 0.5 }), 0.75],
    [new LazyAdam({ learningRate: 0.5, weightDecay: 0.5 }), 1],
  ] as const) {
    const parameters = ones(2);
    optimizer.step(parameters, Int32Array.of(0), ones(1));
    assert.equal(parameters.row(1)[0], expected, optimizer.name);
  }
});

test('a state that was reset is that of a first step', () => {
  const [a, b] = [new Matrix(1, D, runtime), new Matrix(1, D, runtime)];
  const gradient = new Matrix(1, D, runtime);
  gradient.data.fill(2);
  const optimizer = new Adam();
  optimizer.step(a, Int32Array.of(0), gradient);
  a.data.fill(0);
  optimizer.resetState(a);
  gradient.data.fill(-1);
  optimizer.step(a, Int32Array.of(0), gradient);
  optimizer.step(b, Int32Array.of(0), gradient);
  assert.deepEqual(a.data, b.data);
  assert.equal(optimizer.stateBytes(), 2 * 4 * (2 * D + 2));
  assert.throws(() => new Adam({ beta1: 1 }), /beta1/);
});
