/** The kernels of layers: every variant agrees with the reference, bit for bit where neither computes an exponential. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACTIVATION_NUMBERS } from '../../src/kernels/families/layers.ts';
import { activated } from '../../src/kernels/reference/layers.ts';
import { modelPool } from '../../src/parallel/model-pool.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

function random(rows: number, dimensions: number, seed: number, runtime: Runtime, columns = dimensions): Matrix {
  const generator = new Generator(seed);
  const matrix = new Matrix(rows, dimensions, runtime);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) matrix.row(i)[j] = 2 * generator.normal();
  return matrix;
}

/** The largest difference, over 1 + the size. */
function difference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!) / (1 + Math.abs(b[i]!))), 0);
}

/** y and dz of an activation of x + bias. */
function activations(runtime: Runtime, n: number, stride: number, activation: number): Float32Array[] {
  const [z, bias, dy] = [
    random(n, stride, 1, runtime),
    random(1, stride, 2, runtime),
    random(n, stride + 4, 3, runtime),
  ];
  const [y, dz] = [new Matrix(n, stride, runtime), new Matrix(n, stride, runtime)];
  const pool = modelPool(runtime);
  pool.run('activateRows', n, 2, z.offset, stride, bias.offset, activation, y.offset);
  const kept = activation === ACTIVATION_NUMBERS.gelu ? z : y;
  const of = [dy.offset, dy.dimensions, kept.offset, stride] as const;
  pool.run('activationGradient', n, 2, ...of, activation, dz.offset);
  return [y.data.slice(), dz.data.slice()];
}

/** Column sums, copied and added columns at odd places, a transpose and a dropout: arithmetic with one rounding. */
function plain(runtime: Runtime, n: number, stride: number): Float32Array[] {
  const a = random(n, stride, 1, runtime);
  const pool = modelPool(runtime);
  const [sums, to] = [new Matrix(1, stride, runtime), random(n, stride + 3, 2, runtime)];
  pool.run('sumColumns', stride / 4, 1, a.offset, stride, n, sums.offset);
  const from = [a.offset + 4, stride, stride - 1] as const;
  pool.run('copyColumns', n, 2, ...from, to.offset + 8, stride + 3, 0);
  pool.run('copyColumns', n, 2, ...from, to.offset, stride + 3, 1);
  const transposed = new Matrix(stride, n, runtime);
  pool.run('transposeRows', stride, 2, a.offset, stride, n, transposed.offset, n);
  const dropped = new Matrix(n, stride, runtime);
  pool.run('dropRows', n, 2, a.offset, stride, 2 ** 31 + 12345, 1.75, 4_000_000_000, 7, dropped.offset);
  return [sums, to, transposed, dropped].map(({ data }) => data.slice());
}

/** y, statistics, dx and dy ⊙ x̂ of a layer normalization of d of the columns. */
function layerNorm(runtime: Runtime, n: number, d: number): Float32Array[] {
  const stride = 4 * Math.ceil(d / 4);
  const [x, dy] = [random(n, stride, 1, runtime, d), random(n, stride, 2, runtime, d)];
  const weights = random(2, stride, 3, runtime, d);
  const [y, statistics] = [new Matrix(n, stride, runtime), new Matrix(n, 2, runtime)];
  const [dx, products] = [new Matrix(n, stride, runtime), new Matrix(n, stride, runtime)];
  const pool = modelPool(runtime);
  const from = [x.offset, stride, d, weights.offset] as const;
  pool.run('layerNormRows', n, 2, ...from, 1e-3, y.offset, statistics.offset);
  pool.run('layerNormGradient', n, 2, {
    ...{ dy: dy.offset, dyStride: stride, x: x.offset, stride, d, weights: weights.offset },
    ...{ statistics: statistics.offset, dx: dx.offset, products: products.offset },
  });
  return [y, statistics, dx, products].map(({ data }) => data.slice());
}

const shapes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6 }));

for (const { variant, runtime, skip } of VARIANTS) {
  test(`activations and layer normalization, ${variant}: as the reference`, { skip }, () => {
    fc.assert(
      fc.property(shapes, ([n, quarter]) => {
        for (const activation of Object.values(ACTIVATION_NUMBERS)) {
          const expected = activations(referenceRuntime, n, 4 * quarter, activation);
          activations(runtime, n, 4 * quarter, activation).forEach((values, i) => {
            // Measured: 2.1e-7.
            assert.ok(difference(values, expected[i]!) < 1e-6, `activation ${activation}, output ${i}`);
          });
        }
        const expected = layerNorm(referenceRuntime, n, 4 * quarter - (n % 4));
        layerNorm(runtime, n, 4 * quarter - (n % 4)).forEach((values, i) => {
          // Rows whose numbers are nearly equal magnify the rounding.
          assert.ok(difference(values, expected[i]!) < 1e-4, `layer normalization, output ${i}`);
        });
      }),
      { numRuns: 30, seed: 7 },
    );
  });

  test(`sums, copies, transposes and dropout, ${variant}: equal to the reference bit for bit`, { skip }, () => {
    fc.assert(
      fc.property(shapes, ([n, quarter]) => {
        assert.deepEqual(plain(runtime, n, 4 * quarter), plain(referenceRuntime, n, 4 * quarter));
      }),
      { numRuns: 30, seed: 7 },
    );
  });

  test(`activations, ${variant}: known values, far tails and NaN`, { skip }, () => {
    // gelu(1) = Φ(1) = 0.8413447461; gelu(−6) = −6·Φ(−6) = −5.919525e-9.
    const cases = [
      ['gelu', [1, -6, 12, -40, 0], [0.8413447461, -5.919525e-9, 12, 0, 0]],
      ['tanh', [0.5, -0.625, 1e-5, 50, -50], [0.46211715726, -0.55459972234, 1e-5, 1, -1]],
      ['relu', [0.5, -0.625, 0, 50, -50], [0.5, 0, 0, 50, 0]],
    ] as const;
    for (const [name, inputs, expected] of cases) {
      const [z, bias] = [new Matrix(1, 8, runtime), new Matrix(1, 8, runtime)];
      z.data.set([...inputs, Number.NaN]);
      modelPool(runtime).run('activateRows', 1, 1, z.offset, 8, bias.offset, ACTIVATION_NUMBERS[name], z.offset);
      expected.forEach((value, i) => {
        assert.ok(Math.abs(z.data[i]! - value) <= 3e-7 * Math.max(Math.abs(value), 0.01), `${name}(${inputs[i]})`);
      });
      assert.ok(Number.isNaN(z.data[5]), name);
    }
    assert.equal(activated(ACTIVATION_NUMBERS.gelu, 1).toFixed(10), '0.8413447461');
  });
}
