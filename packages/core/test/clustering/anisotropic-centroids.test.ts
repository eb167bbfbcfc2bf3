/** Anisotropic centroids: the formula in float64, and the same bits on every variant and thread count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anisotropicCentroids } from '../../src/clustering/anisotropic-centroids.ts';
import { listMembers } from '../../src/clustering/members.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from '../kernels/variants.ts';

const LEAVES = 7;
const ETA = 2.5;

/** Rows around one direction a leaf, some zero; leaf 6 is empty, leaf 5 has only zeros. */
function rowsOf(n: number, d: number): { rows: Float32Array; labels: Int32Array } {
  const random = new Generator(d);
  const labels = Int32Array.from({ length: n }, (_, i) => i % (LEAVES - 1));
  const rows = Float32Array.from({ length: n * d }, (_, i) => {
    const row = Math.floor(i / d);
    const isZero = labels[row] === 5 || row % 31 === 0;
    return isZero ? 0 : (1 + (row % 3)) * ((i % d === labels[row]! % d ? 2 : 0) + 0.5 * random.normal());
  });
  return { rows, labels };
}

function run(n: number, d: number, runtime: Runtime): Float32Array {
  const { rows, labels } = rowsOf(n, d);
  const matrix = Matrix.from('rows', { data: rows, dimensions: d }, runtime);
  const centroids = new Matrix(LEAVES, d, runtime);
  const steps = [...anisotropicCentroids(matrix, listMembers(labels, LEAVES), ETA, centroids, runtime)];
  assert.equal(steps.at(-1), LEAVES);
  return centroids.data.slice();
}

/** Solve A y = b by elimination; A is symmetric and positive. */
function solve(a: number[][], b: number[]): number[] {
  const d = b.length;
  for (let i = 0; i < d; i++) {
    for (let j = i + 1; j < d; j++) {
      const factor = a[j]![i]! / a[i]![i]!;
      for (let t = i; t < d; t++) a[j]![t]! -= factor * a[i]![t]!;
      b[j]! -= factor * b[i]!;
    }
  }
  for (let i = d - 1; i >= 0; i--) {
    for (let t = i + 1; t < d; t++) b[i]! -= a[i]![t]! * b[t]!;
    b[i]! /= a[i]![i]!;
  }
  return b;
}

for (const d of [1, 4, 11]) {
  test(`the formula, ${d} dimensions`, () => {
    const n = 300;
    const { rows, labels } = rowsOf(n, d);
    const got = run(n, d, VARIANTS[1]!.runtime);
    const centres: number[][] = [];
    let [products, squares] = [0, 0];
    for (let leaf = 0; leaf < LEAVES; leaf++) {
      const members = [...labels.keys()].filter((i) => labels[i] === leaf).map((i) => rows.subarray(i * d, i * d + d));
      const matrix = Array.from({ length: d }, () => new Array<number>(d).fill(0));
      const right = new Array<number>(d).fill(0);
      let sum = 0;
      for (const x of members) {
        const norm = Math.hypot(...x);
        if (norm === 0) continue;
        sum += norm ** (ETA - 1);
        for (let a = 0; a < d; a++) {
          right[a]! += ETA * norm ** (ETA - 1) * x[a]!;
          for (let b = 0; b < d; b++) matrix[a]![b]! += (ETA - 1) * norm ** (ETA - 3) * x[a]! * x[b]!;
        }
      }
      for (let a = 0; a < d; a++) matrix[a]![a]! += sum;
      const c = sum > 0 ? solve(matrix, right) : right;
      centres.push(c);
      for (const x of members) {
        for (let t = 0; t < d; t++) {
          products += x[t]! * c[t]!;
          squares += c[t]! ** 2;
        }
      }
    }
    const factor = products / squares;
    centres.flat().forEach((c, i) => {
      assert.ok(Math.abs(got[i]! - factor * c) <= 2e-5 * (1 + Math.abs(c)), `${i}: ${got[i]} ${factor * c}`);
    });
  });

  for (const { variant, runtime, skip } of VARIANTS.filter(({ variant }) => variant !== 'reference')) {
    test(`${d} dimensions, ${variant}: the reference's bits`, { skip }, () => {
      for (const n of [40, 4000]) assert.deepEqual(run(n, d, runtime), run(n, d, referenceRuntime));
    });
  }
}

test('η = 1 is the mean of the members that are not zero, times one factor', () => {
  const d = 5;
  const { rows, labels } = rowsOf(600, d);
  const { runtime } = VARIANTS[1]!;
  const matrix = Matrix.from('rows', { data: rows, dimensions: d }, runtime);
  const centroids = new Matrix(LEAVES, d, runtime);
  for (const _ of anisotropicCentroids(matrix, listMembers(labels, LEAVES), 1, centroids, runtime));
  const members = [...labels.keys()].filter((i) => labels[i] === 1 && i % 31 !== 0);
  const means = Array.from({ length: d }, (_, t) =>
    members.reduce((sum, i) => sum + rows[i * d + t]! / members.length, 0),
  );
  const factor = centroids.row(1)[0]! / means[0]!;
  means.forEach((mean, t) => {
    assert.ok(Math.abs(centroids.row(1)[t]! - factor * mean) < 1e-5);
  });
});

test('any number of threads gives the same centroids', () => {
  const [one, ...others] = [1, 2, 3].map((threads) => {
    const runtime = new Runtime({ threads });
    const centroids = run(2000, 9, runtime);
    runtime.pool.stop();
    return centroids;
  });
  for (const other of others) assert.deepEqual(other, one);
});
