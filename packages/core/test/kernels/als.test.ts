/** The alternating least squares kernel: the reference bit for bit, and the normal equations in float64. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alsScratchBytes } from '../../src/kernels/families/als.ts';
import { symmetricEigen } from '../../src/linear-algebra/symmetric-eigen.ts';
import { modelPool } from '../../src/parallel/model-pool.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

/** Lists of 0 to above two chunks, a list of one code again and again, weighted or not. */
const LENGTHS = [3, 0, 1, 140, 64, 65, 9];
const CODES = 50;

interface Problem {
  d: number;
  codes: Int32Array;
  weights: Float32Array | undefined;
  factors: Float32Array;
  gram: Float32Array;
  regularization: Float32Array;
  shortLength: number;
}

function problem(d: number, isWeighted: boolean, shortLength: number): Problem {
  const generator = new Generator(d);
  const total = LENGTHS.reduce((sum, length) => sum + length, 0);
  const normal = (length: number): Float32Array => Float32Array.from({ length }, () => generator.normal());
  const factors = normal(CODES * d);
  const gram = new Float32Array(d * d);
  for (let i = 0; i < CODES; i++) {
    for (let r = 0; r < d; r++)
      for (let c = 0; c < d; c++) gram[r * d + c]! += 0.1 * factors[i * d + r]! * factors[i * d + c]!;
  }
  return {
    d,
    codes: Int32Array.from({ length: total }, () => generator.below(CODES)),
    weights: isWeighted ? Float32Array.from({ length: total }, () => 0.5 + generator.uniform()) : undefined,
    factors,
    gram,
    regularization: Float32Array.from(LENGTHS, (length) => 0.3 + 0.1 * length),
    shortLength,
  };
}

function solve(given: Problem, runtime: Runtime): Float32Array {
  const { d, codes, weights, factors, gram, regularization, shortLength } = given;
  const put = (values: Float32Array): Matrix =>
    Matrix.from('values', { data: values, dimensions: values.length }, runtime);
  const integers = (values: readonly number[] | Int32Array): Matrix => {
    const matrix = new Matrix(1, values.length, runtime);
    runtime.heap.memory.integers.set(values, matrix.offset / 4);
    return matrix;
  };
  let at = 0;
  const starts = integers([0, ...LENGTHS.map((length) => (at += length))]);
  const held = { codes: integers(codes), weights: weights && put(weights), factors: put(factors), gram: put(gram) };
  const bounds = put(regularization);
  const { values, vectors } = symmetricEigen(Float64Array.from(gram), d);
  const rotated = Float32Array.from({ length: CODES * d }, (_, i) => {
    const [code, k] = [Math.floor(i / d), i % d];
    return factors.subarray(code * d, (code + 1) * d).reduce((sum, value, t) => sum + value * vectors[k * d + t]!, 0);
  });
  const eigen = {
    spectrum: put(Float32Array.from(values)),
    basis: put(Float32Array.from(vectors)),
    rotated: put(rotated),
  };
  const out = new Matrix(LENGTHS.length, d, runtime);
  const stride = alsScratchBytes(d);
  const scratch = runtime.heap.allocate(stride * runtime.pool.threads);
  modelPool(runtime).run('solveRows', LENGTHS.length, 1, {
    starts: starts.offset,
    codes: held.codes.offset,
    weights: held.weights?.offset ?? 0,
    factors: held.factors.offset,
    dimensions: d,
    gram: held.gram.offset,
    regularization: bounds.offset,
    shortLength,
    spectrum: eigen.spectrum.offset,
    basis: eigen.basis.offset,
    rotated: eigen.rotated.offset,
    out: out.offset,
    scratch: scratch.offset,
    scratchStride: stride,
  });
  return out.data.slice();
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`solveRows, ${variant}: equal to the reference bit for bit, on any number of threads`, { skip }, () => {
    for (const [d, isWeighted, shortLength] of [
      [8, false, 0],
      [16, true, 0],
      [40, false, 0],
      [24, true, 0],
      [8, true, 6],
      [40, false, 30],
      [136, true, 102],
    ] as const) {
      const given = problem(d, isWeighted, shortLength);
      const expected = solve(given, referenceRuntime);
      assert.deepEqual(solve(given, runtime), expected);
      if (variant !== 'reference') assert.deepEqual(solve(given, new Runtime({ variant, threads: 1 })), expected);
    }
  });
}

for (const shortLength of [0, 18]) {
  test(`solveRows: the solution satisfies its normal equations, lists of ${shortLength} in the eigenvectors' basis`, () => {
    satisfiesNormalEquations(problem(24, true, shortLength));
  });
}

test('solveRows: an item of weight 0 counts for nothing in a short list', () => {
  const given = problem(24, true, 18);
  given.weights!.fill(0, 1, 3);
  const solved = solve(given, new Runtime({ threads: 1 })).subarray(0, 24);
  const long = solve({ ...given, shortLength: 0 }, new Runtime({ threads: 1 })).subarray(0, 24);
  solved.forEach((value, t) => assert.ok(Math.abs(value - long[t]!) < 1e-5));
});

function satisfiesNormalEquations(given: Problem): void {
  const { d, codes, weights, factors, gram, regularization } = given;
  const solved = solve(given, new Runtime({ threads: 1 }));
  let from = 0;
  LENGTHS.forEach((length, row) => {
    const x = solved.subarray(row * d, (row + 1) * d);
    if (length === 0) assert.ok(x.every((value) => value === 0));
    for (let r = 0; r < d && length > 0; r++) {
      let residual = regularization[row]! * x[r]!;
      for (let c = 0; c < d; c++) residual += gram[r * d + c]! * x[c]!;
      for (let i = from; i < from + length; i++) {
        const v = factors.subarray(codes[i]! * d, (codes[i]! + 1) * d);
        const score = v.reduce((sum, value, t) => sum + value * x[t]!, 0);
        residual += weights![i]! * v[r]! * (score - 1);
      }
      assert.ok(Math.abs(residual) < 1e-3, `row ${row}, dimension ${r}: ${residual}`);
    }
    from += length;
  });
}
