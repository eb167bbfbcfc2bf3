/** The symmetric kernel and the inverse that is built on it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelPool } from '../../src/parallel/model-pool.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { invertibleSize, invertSymmetric } from '../../src/recommenders/symmetric-inverse.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

/** Random products G Gᵀ / columns + I, with a diagonal of ones beyond `size`. */
function positiveDefinite(size: number, columns: number, runtime: Runtime): Matrix {
  const generator = new Generator(3);
  const g = Float64Array.from({ length: size * columns }, () => generator.normal());
  const n = invertibleSize(size);
  const matrix = new Matrix(n, n, runtime);
  const { data } = matrix;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = i === j ? 1 : 0;
      if (i < size && j < size)
        for (let t = 0; t < columns; t++) sum += (g[i * columns + t]! * g[j * columns + t]!) / columns;
      data[i * n + j] = sum;
    }
  }
  return matrix;
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`addSymmetric, ${variant}: the upper half is what the reference says, bit for bit`, { skip }, () => {
    const results = [runtime, referenceRuntime].map((where) => {
      const generator = new Generator(9);
      const numbers = (rows: number, d: number): Matrix =>
        Matrix.from(
          'n',
          { data: Float32Array.from({ length: rows * d }, () => generator.normal()), dimensions: d },
          where,
        );
      const [a, b, c] = [numbers(48, 5), numbers(48, 5), numbers(48, 48)];
      const packed = new Matrix(48, 5, where);
      where.pool.run('packPanels', 6, 1, b.offset, 48, 5, packed.offset);
      modelPool(where).run('addSymmetric', 3, 1, a.offset, 5, packed.offset, 6, c.offset);
      return c.data.slice();
    });
    assert.deepEqual(results[0], results[1]);
  });

  test(`invertSymmetric, ${variant}: A · A⁻¹ = I`, { skip }, () => {
    const size = 100;
    const matrix = positiveDefinite(size, 30, runtime);
    const n = matrix.rows;
    const before = matrix.data.slice();
    invertSymmetric(matrix);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let t = 0; t < n; t++) sum += before[i * n + t]! * matrix.data[t * n + j]!;
        assert.ok(Math.abs(sum - (i === j ? 1 : 0)) < 1e-4, `${i}, ${j}: ${sum}`);
      }
    }
  });
}

test('a matrix that is not positive definite is refused', () => {
  const matrix = positiveDefinite(64, 3, referenceRuntime);
  matrix.data[70 * 0 + 64 + 1] = -5;
  assert.throws(() => invertSymmetric(matrix), { code: 'ERR_DIVERGED' });
});
