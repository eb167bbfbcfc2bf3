/** Balanced PCA: eigenvectors against their definition, known directions, even blocks, what rotation keeps, bad input. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NotFiniteError, OptionError, ShapeError } from '../../src/errors/errors.ts';
import { symmetricEigen } from '../../src/linear-algebra/symmetric-eigen.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { rotateRows, trainBalancedPca } from '../../src/quantization/pca.ts';
import { decodeProduct } from '../../src/quantization/product/decode.ts';
import { encodeProduct } from '../../src/quantization/product/encode.ts';
import { trainProductCodebook } from '../../src/quantization/product/train.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from '../kernels/variants.ts';

const { runtime } = VARIANTS[1]!;

/** A = V diag(values) Vᵀ holds, V is orthonormal, values descend. */
function assertEigen(matrix: Float64Array, n: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, n);
  const size = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < n; i++) {
    assert.ok(i === 0 || values[i]! <= values[i - 1]!);
    for (let j = 0; j < n; j++) {
      let [dot, product] = [0, 0];
      for (let t = 0; t < n; t++) {
        dot += vectors[i * n + t]! * vectors[j * n + t]!;
        product += matrix[j * n + t]! * vectors[i * n + t]!;
      }
      assert.ok(Math.abs(dot - (i === j ? 1 : 0)) < 1e-12, `vectors ${i}, ${j}: ${dot}`);
      assert.ok(Math.abs(product - values[i]! * vectors[i * n + j]!) <= 1e-12 * n * size);
    }
  }
  return values;
}

test('eigenvalues of known matrices', () => {
  const near = (got: Float64Array, wanted: number[]): void => {
    wanted.forEach((value, i) => assert.ok(Math.abs(got[i]! - value) < 1e-12, `${got}`));
  };
  near(assertEigen(Float64Array.of(5), 1), [5]);
  near(assertEigen(Float64Array.of(2, 1, 1, 2), 2), [3, 1]);
  near(assertEigen(new Float64Array(16), 4), [0, 0, 0, 0]);
  near(assertEigen(Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), 3), [1, 1, 1]);
  near(assertEigen(new Float64Array(25).fill(2), 5), [10, 0, 0, 0, 0]);
  // Second differences: 2 − 2 cos(πi/(n + 1)).
  const n = 30;
  const chain = Float64Array.from({ length: n * n }, (_, at) => {
    const distance = Math.abs(Math.floor(at / n) - (at % n));
    return distance === 0 ? 2 : distance === 1 ? -1 : 0;
  });
  near(
    assertEigen(chain, n),
    Array.from({ length: n }, (_, i) => 2 - 2 * Math.cos((Math.PI * (n - i)) / (n + 1))),
  );
});

test('any symmetric matrix is decomposed, of any scale and rank', () => {
  const shape = {
    n: fc.integer({ min: 1, max: 25 }),
    rank: fc.integer({ min: 0, max: 25 }),
    power: fc.integer({ min: -60, max: 60 }),
  };
  fc.assert(
    fc.property(fc.record({ ...shape, seed: fc.integer() }), ({ n, rank, power, seed }) => {
      const random = new Generator(seed);
      const matrix = new Float64Array(n * n);
      for (let r = 0; r < rank; r++) {
        const v = Float64Array.from({ length: n }, () => random.normal());
        for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) matrix[i * n + j]! += v[i]! * v[j]! * 2 ** power;
      }
      assertEigen(matrix, n);
    }),
    { numRuns: 60 },
  );
});

/** Rows with spread 2^-j along the j-th of d orthogonal directions that are no axes, around a mean. */
function spreadRows(n: number, d: number, of: Runtime = runtime): Matrix {
  const random = new Generator(11);
  const rows = new Matrix(n, d, of);
  const length = d / 4;
  for (let i = 0; i < n; i++) {
    const spread = Array.from({ length: d }, (_, j) => random.normal() * 2 ** -(j / 2));
    // Columns of I − 2 u uᵀ, u of equal components: orthonormal.
    const dot = spread.reduce((sum, value) => sum + value, 0) / d;
    for (let t = 0; t < d; t++) rows.row(i)[t] = spread[t]! - 2 * dot + length;
  }
  return rows;
}

test('known directions and variances are found, the mean left out', () => {
  const d = 7;
  const { directions, variances } = trainBalancedPca(spreadRows(20_000, d), { dimensionsPerBlock: 1 });
  for (let j = 0; j < d; j++) {
    assert.ok(Math.abs(variances[j]! * 2 ** j - 1) < 0.05, `${j}: ${variances[j]}`);
    const along = Array.from({ length: d }, (_, t) => (t === j ? 1 : 0) - 2 / d);
    const dot = along.reduce((sum, value, t) => sum + value * directions.row(t)[j]!, 0);
    assert.ok(Math.abs(dot) > 0.99, `${j}: ${dot}`);
  }
});

test('blocks come out even, the smaller last one too', () => {
  for (const [d, width] of [
    [16, 2],
    [16, 4],
    [15, 2],
    [14, 4],
  ] as const) {
    const { variances } = trainBalancedPca(spreadRows(4000, d), { dimensionsPerBlock: width });
    const logs = Array.from({ length: Math.floor(d / width) }, (_, b) =>
      variances.slice(b * width, (b + 1) * width).reduce((sum, variance) => sum + Math.log2(variance), 0),
    );
    // In the order of variances the first and the last block would be width · (d − width) apart.
    assert.ok(Math.max(...logs) - Math.min(...logs) <= (width * (d - width)) / 2, `${d} by ${width}: ${logs}`);
    assert.equal(new Set(variances).size, d);
  }
});

test('rotation keeps inner products', () => {
  for (const d of [1, 5, 8, 33]) {
    const rows = spreadRows(1500, d);
    const rotated = rotateRows(trainBalancedPca(rows), rows);
    for (let i = 0; i < 1499; i += 7) {
      const product = (matrix: Matrix): number =>
        matrix.row(i).reduce((sum, value, t) => sum + value * matrix.row(i + 1)[t]!, 0);
      assert.ok(Math.abs(product(rows) - product(rotated)) <= 1e-5 * (1 + d ** 3 / 16), `${d}`);
    }
  }
});

test('product codes of rotated rows lose less', () => {
  const rows = spreadRows(4000, 16);
  const lossOf = (coded: Matrix): number => {
    const codebook = trainProductCodebook(coded);
    const decoded = decodeProduct(codebook, encodeProduct(codebook, coded));
    return coded.data.reduce((sum, value, i) => sum + (value - decoded.data[i]!) ** 2, 0);
  };
  const [rotated, plain] = [lossOf(rotateRows(trainBalancedPca(rows), rows)), lossOf(rows)];
  assert.ok(rotated < 0.5 * plain, `${rotated} ${plain}`);
});

test('equal rows, one row, any number of threads, every variant', () => {
  for (const n of [1, 40]) {
    const rows = new Matrix(n, 5, runtime);
    rows.data.fill(3);
    const pca = trainBalancedPca(rows);
    assert.deepEqual([...pca.variances], [0, 0, 0, 0, 0]);
    assert.ok(Math.abs(Math.hypot(...rotateRows(pca, rows).row(0)) - Math.hypot(3, 3, 3, 3, 3)) < 1e-5);
  }
  const run = (of: Runtime): Float32Array[] => {
    const rows = spreadRows(2500, 13, of);
    const pca = trainBalancedPca(rows, { sampleSize: 2000 });
    return [pca.directions.data.slice(), rotateRows(pca, rows).data.slice()];
  };
  const expected = run(referenceRuntime);
  for (const { runtime: own, skip } of VARIANTS) if (!skip) assert.deepEqual(run(own), expected);
  for (const threads of [1, 3]) {
    const own = new Runtime({ threads });
    assert.deepEqual(run(own), expected);
    own.pool.stop();
  }
});

test('bad input is refused', () => {
  const rows = spreadRows(10, 3);
  assert.throws(() => trainBalancedPca(rows, { dimensionsPerBlock: 0 }), OptionError);
  assert.throws(() => trainBalancedPca(rows, { sampleSize: 0 }), OptionError);
  assert.throws(() => trainBalancedPca(new Matrix(0, 3, runtime)), ShapeError);
  assert.throws(() => rotateRows(trainBalancedPca(rows), spreadRows(2, 4)), ShapeError);
  rows.row(4)[2] = Number.NaN;
  assert.throws(() => trainBalancedPca(rows), { name: NotFiniteError.name, message: /row 4, column 2/ });
});
