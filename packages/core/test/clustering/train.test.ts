/** k-means and assignment as a caller sees them: known blobs, distances, hard inputs, bad inputs, threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignNearest } from '../../src/clustering/assign.ts';
import { type TrainKMeansOptions, trainKMeans } from '../../src/clustering/train.ts';
import { AbortedError, NotFiniteError, OptionError, ShapeError } from '../../src/errors/errors.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { VARIANTS } from '../kernels/variants.ts';

const { runtime } = VARIANTS[1]!;
const matrixOf = (data: ArrayLike<number>, dimensions: number, of: Runtime = runtime): Matrix =>
  Matrix.from('points', { data: Float32Array.from(data), dimensions }, of);

/** `count` blobs of `size` points at distance 20 or more of each other, with spread 0.1. */
function blobs(count: number, size: number, d: number, of: Runtime = runtime): { points: Matrix; blob: Int32Array } {
  const random = new Generator(7);
  const blob = Int32Array.from({ length: count * size }, (_, i) => i % count);
  const values = Float32Array.from({ length: blob.length * d }, (_, i) => {
    const own = blob[Math.floor(i / d)]!;
    return 20 * (i % d === own % d ? 1 + Math.floor(own / d) : 0) + 0.1 * random.normal();
  });
  return { points: matrixOf(values, d, of), blob };
}

for (const initialization of ['random', 'k-means++'] as const) {
  test(`blobs are found, ${initialization}`, () => {
    const { points, blob } = blobs(9, 60, 4);
    // Blobs of 60: a cluster below 40 is a part of one, and is sent to where two blobs share a centroid.
    const options = { clusters: 9, iterations: 30, initialization, minClusterSize: 40 };
    const { assignment, counts, meanSquaredDistance } = trainKMeans(points, options);
    assert.deepEqual([...counts], new Array(9).fill(60));
    assert.equal(new Set(assignment.map((label, i) => label * 9 + blob[i]!)).size, 9);
    assert.ok(meanSquaredDistance < 0.06, `${meanSquaredDistance}`);
  });
}

test('more iterations never leave points farther from their centroids', () => {
  const random = new Generator(3);
  const points = matrixOf(
    Float32Array.from({ length: 4000 }, () => random.normal()),
    5,
  );
  let before = Number.POSITIVE_INFINITY;
  for (let iterations = 1; iterations <= 8; iterations++) {
    const { meanSquaredDistance } = trainKMeans(points, { clusters: 20, iterations, minClusterSize: 0 });
    assert.ok(meanSquaredDistance <= before * (1 + 1e-6), `${iterations}: ${meanSquaredDistance} after ${before}`);
    before = meanSquaredDistance;
  }
});

test('a tolerance ends the training early', () => {
  const { points } = blobs(9, 60, 4);
  const of = (tolerance: number): number =>
    trainKMeans(points, { clusters: 9, iterations: 40, tolerance }).iterationsRun;
  assert.ok(of(0.5) <= of(1e-5));
  assert.ok(of(1e-5) < 40);
});

test('any number of threads gives the same bytes', () => {
  const [one, ...others] = [1, 2, 3].map((threads) => {
    const own = new Runtime({ threads });
    const { points } = blobs(40, 50, 9, own);
    const { centroids, ...rest } = trainKMeans(points, {
      clusters: 64,
      minClusterSize: 4,
      initialization: 'k-means++',
    });
    own.pool.stop();
    return { ...rest, centroids: centroids.data.slice() };
  });
  for (const other of others) assert.deepEqual(other, one);
});

test('assignment is the nearest, its distance exact where norms are large', () => {
  const d = 3;
  const random = new Generator(5);
  const values = Float32Array.from({ length: 90 * d }, () => 1000 + random.normal());
  const points = matrixOf(values, d);
  const { assignment, squaredDistances } = assignNearest(points, matrixOf(values.subarray(0, 10 * d), d));
  for (let i = 0; i < 90; i++) {
    let sum = 0;
    for (let t = 0; t < d; t++) sum += (values[i * d + t]! - values[assignment[i]! * d + t]!) ** 2;
    assert.equal(squaredDistances[i], Math.fround(sum));
  }
  const tied = assignNearest(matrixOf([0, 0, 2, 0], 2), matrixOf([1, 0, -1, 0, 1, 0], 2));
  assert.deepEqual([...tied.assignment], [0, 0]);
  assert.deepEqual([...tied.squaredDistances], [1, 1]);
  assert.equal(assignNearest(new Matrix(0, 2, runtime), matrixOf([1, 0], 2)).assignment.length, 0);
});

test('one point, equal points, zero points, fewer points than clusters', () => {
  const one = trainKMeans(matrixOf([3, 4], 2), { clusters: 5 });
  assert.deepEqual([one.centroids.rows, one.isReduced, ...one.centroids.data, ...one.counts], [1, true, 3, 4, 1]);
  for (const value of [0, 7]) {
    for (const initialization of ['random', 'k-means++'] as const) {
      const equal = trainKMeans(matrixOf(new Array(60).fill(value), 3), { clusters: 4, initialization });
      assert.equal(equal.meanSquaredDistance, 0);
      assert.ok(equal.centroids.data.every((x) => x === value));
      assert.equal(equal.isReduced, false);
    }
  }
});

test('spherical centroids have length 1', () => {
  const { centroids } = trainKMeans(blobs(4, 30, 4).points, { clusters: 4, spherical: true });
  for (let c = 0; c < 4; c++) assert.ok(Math.abs(Math.hypot(...centroids.row(c)) - 1) < 1e-6);
});

test('bad input is refused', () => {
  const points = blobs(3, 5, 2).points;
  const bad = (options: Partial<TrainKMeansOptions>): (() => void) => {
    return () => trainKMeans(points, { clusters: 2, ...options });
  };
  assert.throws(bad({ clusters: 0 }), OptionError);
  assert.throws(bad({ iterations: 0 }), OptionError);
  assert.throws(bad({ sampleSize: 0 }), OptionError);
  assert.throws(bad({ tolerance: -1 }), OptionError);
  assert.throws(bad({ initialization: 'best' as 'random' }), OptionError);
  assert.throws(() => trainKMeans(new Matrix(0, 2, runtime), { clusters: 2 }), ShapeError);
  assert.throws(() => assignNearest(points, new Matrix(2, 3, runtime)), ShapeError);
  assert.throws(() => assignNearest(points, new Matrix(0, 2, runtime)), ShapeError);
  const holed = matrixOf([1, 2, 3, Number.NaN], 2);
  const named = { name: NotFiniteError.name, message: /row 1, column 1/ };
  assert.throws(() => trainKMeans(holed, { clusters: 1 }), named);
  assert.throws(() => assignNearest(points, holed), named);
});

test('an abort ends the training and gives its memory back', () => {
  const points = blobs(3, 50, 2).points;
  const used = runtime.heap.usedBytes;
  const controller = new AbortController();
  let iterations = 0;
  const onProgress = (): void => {
    if (++iterations === 2) controller.abort();
  };
  const options = { clusters: 3, iterations: 9, minClusterSize: 40, signal: controller.signal, onProgress };
  assert.throws(() => trainKMeans(points, options), AbortedError);
  assert.equal(iterations, 2);
  assert.ok(runtime.heap.usedBytes <= used + 4096, 'only centroids may wait for the collector');
});
