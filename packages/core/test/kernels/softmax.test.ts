/** The softmax kernels: every variant equals the reference to rounding, masks give exact zeros. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

const ROWS = 7;
const COLUMNS = 16;

/** Softmax of rows with a masked logit, a zero-weight column and far apart values; gradients and results. */
function run(runtime: Runtime): { gradients: number[]; results: number[] } {
  const generator = new Generator(3);
  const logits = new Matrix(ROWS, COLUMNS, runtime);
  logits.data.forEach((_, i, data) => {
    data[i] = 30 * generator.normal();
  });
  logits.data[5] = Number.NEGATIVE_INFINITY;
  const weights = Matrix.from('w', [Array.from({ length: COLUMNS }, (_, j) => (j > 12 ? 0 : 1 + (j % 3)))], runtime);
  const rowWeights = Matrix.from('r', [[1, 2, 0.5, 1, 1, 1, 0]], runtime);
  const pairWeights = Matrix.from('p', [[1, 2, 0.5, 1, 1, 1, 0]], runtime);
  const block = runtime.heap.allocate(4 * (2 * ROWS + 1));
  block.integers(ROWS + 1).set(Array.from({ length: ROWS + 1 }, (_, i) => i));
  block.integers(ROWS, 4 * (ROWS + 1)).set([0, 1, 2, 3, 4, 5, 6]);
  const results = runtime.heap.allocate(24 * ROWS);
  runtime.pool.run(
    'softmaxLogits',
    ROWS,
    2,
    logits.offset,
    COLUMNS,
    rowWeights.offset,
    weights.offset,
    block.offset,
    block.offset + 4 * (ROWS + 1),
    pairWeights.offset,
    results.offset,
  );
  const { buffer } = runtime.heap.memory.memory;
  return { gradients: [...logits.data], results: [...new Float64Array(buffer, results.offset, 3 * ROWS)] };
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`softmaxLogits, ${variant}: equal to the reference within 2e-6 of a row's weight`, { skip }, () => {
    const [got, expected] = [run(runtime), run(referenceRuntime)];
    got.gradients.forEach((value, i) => assert.ok(Math.abs(value - expected.gradients[i]!) < 4e-6, `gradient ${i}`));
    got.results.forEach((value, i) =>
      assert.ok(Math.abs(value - expected.results[i]!) <= 2e-6 * (1 + Math.abs(expected.results[i]!)), `result ${i}`),
    );
    assert.equal(got.gradients[5], 0);
    for (let j = 13; j < COLUMNS; j++) assert.equal(got.gradients[j], 0);
    for (let r = 0; r < ROWS; r++) {
      const sum = got.gradients.slice(r * COLUMNS, (r + 1) * COLUMNS).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum) < 1e-5, `row ${r} sums to ${sum}`);
    }
  });
}
