/**
 * The products of matrices: every variant equals the reference bit for bit on odd shapes, beside the bounds of blocks and
 * depths, and for any split of the work; a fused product differs from the double-precision one by rounding only.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { multiplyRowsFused, multiplyTransposedFused } from '../../src/layers/fused-multiply.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { multiplyRows, multiplyTransposed } from '../../src/vectors/multiply.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

function random(rows: number, dimensions: number, seed: number, runtime: Runtime): Matrix {
  const generator = new Generator(seed);
  const matrix = new Matrix(rows, dimensions, runtime);
  const { data } = matrix;
  for (let i = 0; i < data.length; i++) data[i] = generator.normal();
  return matrix;
}

/** A·B, and twice C += Aᵀ·G. */
function products(runtime: Runtime, m: number, n: number, d: number, isFused = false): Float32Array[] {
  const aStride = Math.ceil(n / 4) * 4;
  const a = random(m, aStride, 3, runtime);
  const b = random(n, d, 4, runtime);
  const g = random(m, d, 5, runtime);
  const rows = random(m, d, 6, runtime);
  const columns = new Matrix(n, d, runtime);
  const of = { a: a.offset, aStride, m, n, d };
  const [byRows, transposed] = isFused
    ? [multiplyRowsFused, multiplyTransposedFused]
    : [multiplyRows, multiplyTransposed];
  byRows(runtime, { ...of, b: b.offset, c: rows.offset });
  for (let i = 0; i < 2; i++) transposed(runtime, { ...of, b: g.offset, c: columns.offset });
  const found = [rows.data.slice(), columns.data.slice()];
  for (const matrix of [a, b, g, rows, columns]) matrix.free();
  return found;
}

/** The largest difference of A·B and 2·Aᵀ·G from the same in double precision, over √(terms). */
function largestError(runtime: Runtime, m: number, n: number, d: number): number {
  const [a, b, g] = [random(m, n, 3, runtime), random(n, d, 4, runtime), random(m, d, 5, runtime)];
  const [rows, columns] = products(runtime, m, n, d, true);
  let error = 0;
  for (let t = 0; t < d; t++) {
    for (let r = 0; r < m; r++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += a.data[r * n + j]! * b.data[j * d + t]!;
      error = Math.max(error, Math.abs(rows![r * d + t]! - sum) / Math.sqrt(n));
    }
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let r = 0; r < m; r++) sum += a.data[r * n + j]! * g.data[r * d + t]!;
      error = Math.max(error, Math.abs(columns![j * d + t]! - 2 * sum) / Math.sqrt(m));
    }
  }
  return error;
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`products, ${variant}: equal to the reference bit for bit`, { skip }, () => {
    const shape = fc.tuple(
      fc.integer({ min: 1, max: 21 }),
      fc.integer({ min: 1, max: 35 }),
      fc.integer({ min: 1, max: 9 }),
    );
    fc.assert(
      fc.property(shape, ([m, n, quarter]) => {
        assert.deepEqual(products(runtime, m, n, quarter * 4), products(referenceRuntime, m, n, quarter * 4));
      }),
      { numRuns: 40, seed: 7 },
    );
    // One below, at and above a block of 128 rows and a depth of 256 terms.
    for (const m of [127, 128, 129, 257]) {
      for (const n of [255, 256, 258])
        assert.deepEqual(products(runtime, m, n, 12), products(referenceRuntime, m, n, 12));
    }
  });

  test(`products, ${variant}: fused ones are as exact as float32 allows`, { skip }, () => {
    // Measured: 1.9e-6 without and 1.4e-6 with fused terms.
    assert.ok(largestError(runtime, 70, 300, 20) < 5e-6);
  });

  test(`products, ${variant}: the bits do not depend on how the rows are split`, { skip }, () => {
    const [m, n, d] = [41, 19, 24];
    for (const isFused of [false, true]) {
      const [whole] = products(runtime, m, n, d, isFused);
      const [a, b, c] = [random(m, 20, 3, runtime), random(n, d, 4, runtime), new Matrix(m, d, runtime)];
      for (let first = 0; first < m; first += 9) {
        const rows = Math.min(9, m - first);
        const at = { a: a.offset + 80 * first, aStride: 20, m: rows, n, d };
        (isFused ? multiplyRowsFused : multiplyRows)(runtime, { ...at, b: b.offset, c: c.offset + 4 * d * first });
      }
      assert.deepEqual(c.data, whole);
    }
  });
}
