/**
 * Adam: the published formula in float64, the same bits from every kernel, unchanged rows that a step does not name.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Adam } from '../../src/optimizers/adam.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { VARIANTS } from '../kernels/variants.ts';

const D = 7;

/** Four steps on rows of [5, 7]; the parameters after. */
function steps(runtime: Matrix['runtime']): { start: Float32Array; gradients: Float32Array[]; after: Float32Array } {
  const generator = new Generator(3);
  const parameters = new Matrix(5, D, runtime);
  for (let i = 0; i < 5 * D; i++) parameters.data[i] = generator.normal();
  const start = parameters.data.slice();
  const optimizer = new Adam({ learningRate: 0.01, weightDecay: 0.1 });
  const gradients: Float32Array[] = [];
  for (let step = 0; step < 4; step++) {
    const gradient = new Matrix(2, 8, runtime);
    for (let i = 0; i < 16; i++) gradient.data[i] = generator.normal();
    gradients.push(gradient.data.slice());
    optimizer.step(parameters, Int32Array.of(4, step % 2), gradient);
  }
  return { start, gradients, after: parameters.data.slice() };
}

const reference = steps(VARIANTS[0]!.runtime).after;

for (const { variant, runtime, skip } of VARIANTS) {
  test(`Adam, ${variant}: the formula, on rows named only`, { skip }, () => {
    const { start, gradients, after } = steps(runtime);
    assert.deepEqual(after, reference);
    for (let row = 0; row < 5; row++) {
      for (let t = 0; t < D; t++) {
        let [p, m, v, n] = [start[row * D + t]!, 0, 0, 0];
        gradients.forEach((gradient, step) => {
          const at = row === 4 ? t : row === step % 2 ? 8 + t : -1;
          if (at < 0) return;
          n++;
          m = 0.9 * m + 0.1 * gradient[at]!;
          v = 0.999 * v + 0.001 * gradient[at]! ** 2;
          p -= 0.01 * (m / (1 - 0.9 ** n) / (Math.sqrt(v / (1 - 0.999 ** n)) + 1e-7) + 0.1 * p);
        });
        assert.ok(Math.abs(after[row * D + t]! - p) < 2e-5, `${row}, ${t}: ${after[row * D + t]}, not ${p}`);
      }
    }
  });
}

test('a state that was reset is that of a first step', () => {
  const { runtime } = VARIANTS[0]!;
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
