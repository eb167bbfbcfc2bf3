/** Centroids: the nearest and SOAR's second against their definitions, and the same bits on every variant and thread count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Centroids } from '../../src/clustering/centroids.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from '../kernels/variants.ts';

interface Problem {
  d: number;
  rows: Float32Array;
  centroids: Float32Array;
}

function assign({ d, rows, centroids }: Problem, runtime: Runtime): { labels: Int32Array; scores: Float32Array } {
  const n = rows.length / d;
  const points = Matrix.from('rows', { data: rows, dimensions: d }, runtime);
  const all = new Centroids(centroids.length / d, d, runtime);
  all.matrix.data.set(centroids);
  all.pack();
  const labels = runtime.heap.allocate(4 * n);
  const scores = runtime.heap.allocate(4 * n);
  all.assign(points.offset, n, labels, scores);
  const out = { labels: labels.integers(n).slice(), scores: scores.floats(n).slice() };
  for (const each of [labels, scores, points, all]) each.free();
  return out;
}

/** Rows and centroids of a seed; `kind` makes them hard to tell apart, or to scale. */
function problem(n: number, d: number, count: number, kind: string): Problem {
  const random = new Generator(n * 131 + d);
  const value: Record<string, (row: number) => number> = {
    normal: () => random.normal(),
    'zeros and ones': () => random.below(2),
    'one value': () => 1,
    zeros: () => 0,
    'norms from a thousandth to a thousand': (row) => random.normal() * 10 ** ((row % 7) - 3),
    'almost one point': () => 1 + 1e-6 * random.below(4),
    huge: () => 1e25 * random.normal(),
  };
  const rows = Float32Array.from({ length: n * d }, (_, i) => value[kind]!(Math.floor(i / d)));
  return { d, rows, centroids: rows.slice(0, count * d) };
}

const KINDS = [
  'normal',
  'zeros and ones',
  'one value',
  'zeros',
  'norms from a thousandth to a thousand',
  'almost one point',
  'huge',
];
/** Rows, dimensions, centroids: one row, an odd dimension, few centroids (float32 alone), many. */
const SIZES = [
  [1, 3, 1],
  [70, 1, 64],
  [90, 5, 20],
  [131, 8, 100],
  [203, 33, 65],
] as const;

for (const kind of KINDS) {
  for (const { variant, runtime, skip } of VARIANTS.filter(({ variant }) => variant !== 'reference')) {
    test(`nearest of ${kind}, ${variant}: the reference's bits`, { skip }, () => {
      for (const [n, d, count] of SIZES) {
        const case_ = problem(n, d, count, kind);
        assert.deepEqual(assign(case_, runtime), assign(case_, referenceRuntime), `${n} × ${d}, ${count} centroids`);
      }
    });
  }
}

test('the nearest centroid is the nearest in float64, but for ties within rounding', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), (n, d) => {
      const { rows, centroids } = problem(n, d, Math.max(1, Math.floor(0.9 * n)), 'normal');
      const { labels, scores } = assign({ d, rows, centroids }, VARIANTS[1]!.runtime);
      for (let i = 0; i < n; i++) {
        const distance = (c: number): number => {
          let sum = 0;
          for (let t = 0; t < d; t++) sum += (rows[i * d + t]! - centroids[c * d + t]!) ** 2;
          return sum;
        };
        const least = Math.min(...Array.from({ length: centroids.length / d }, (_, c) => distance(c)));
        let square = 0;
        for (let t = 0; t < d; t++) square += rows[i * d + t]! ** 2;
        assert.ok(distance(labels[i]!) <= least + 1e-4);
        assert.ok(Math.abs(square - 2 * scores[i]! - least) <= 1e-4 * (1 + square));
      }
    }),
    { numRuns: 40 },
  );
});

test('any number of threads gives the same labels', () => {
  const case_ = problem(3000, 12, 200, 'normal');
  const [one, ...others] = [1, 2, 3].map((threads) => {
    const runtime = new Runtime({ threads });
    const result = assign(case_, runtime);
    runtime.pool.stop();
    return result;
  });
  for (const other of others) assert.deepEqual(other, one);
});

test('SOAR picks the second centroid by its formula', () => {
  const lambda = 1.5;
  const { d, rows, centroids } = problem(60, 6, 24, 'normal');
  const shifted = rows.map((x, i) => x + 0.3 * Math.sin(i));
  const { labels } = assign({ d, rows: shifted, centroids }, VARIANTS[1]!.runtime);
  for (const { runtime, skip } of VARIANTS) {
    if (skip) continue;
    const points = Matrix.from('rows', { data: shifted, dimensions: d }, runtime);
    const all = new Centroids(24, d, runtime);
    all.matrix.data.set(centroids);
    all.pack();
    const first = runtime.heap.allocate(4 * 60);
    const second = runtime.heap.allocate(4 * 60);
    first.integers(60).set(labels);
    all.assignSecond(points.offset, 60, first, lambda, second);
    for (let i = 0; i < 60; i++) {
      const difference = (c: number): number[] =>
        Array.from({ length: d }, (_, t) => shifted[i * d + t]! - centroids[c * d + t]!);
      const r = difference(labels[i]!);
      const length = Math.hypot(...r);
      const cost = (c: number): number => {
        const e = difference(c);
        const along = e.reduce((sum, x, t) => sum + (x * r[t]!) / length, 0);
        return e.reduce((sum, x) => sum + x * x, 0) + lambda * along * along;
      };
      const least = Math.min(...Array.from({ length: 24 }, (_, c) => cost(c)));
      assert.ok(cost(second.integers(60)[i]!) <= least + 1e-4);
    }
  }
});
