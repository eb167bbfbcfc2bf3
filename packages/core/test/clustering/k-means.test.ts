/** k-means: planted blobs come back, the objective never rises, odd inputs, the same bits everywhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Centroids } from '../../src/clustering/centroids.ts';
import { type KMeansOptions, kMeans, type Progress } from '../../src/clustering/k-means.ts';
import { NotFiniteError } from '../../src/errors/errors.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { VARIANTS } from '../kernels/variants.ts';

const { runtime: RUNTIME } = VARIANTS[1]!;

function run(
  rows: Float32Array,
  d: number,
  options: Partial<KMeansOptions>,
  runtime: Runtime = RUNTIME,
): { centroids: Centroids; steps: Progress[]; labels: Int32Array } {
  const matrix = Matrix.from('rows', { data: rows, dimensions: d }, runtime);
  const all: KMeansOptions = {
    clusters: 10,
    iterations: 12,
    sampleSize: matrix.rows,
    initialization: 'random',
    minClusterSize: 1,
    isSpherical: false,
    random: new Generator(1),
    ...options,
  };
  const steps: Progress[] = [];
  const training = kMeans(matrix, all, runtime);
  let step = training.next();
  for (; !step.done; step = training.next()) steps.push(step.value);
  const labels = runtime.heap.allocate(4 * matrix.rows);
  const scores = runtime.heap.allocate(4 * matrix.rows);
  step.value.assign(matrix.offset, matrix.rows, labels, scores);
  return { centroids: step.value, steps, labels: labels.integers(matrix.rows).slice() };
}

/** `count` blobs far apart, rows in turn. */
function blobs(n: number, d: number, count: number, spread: number): Float32Array {
  const random = new Generator(9);
  const centres = Float32Array.from({ length: count * d }, () => 10 * random.normal());
  return Float32Array.from({ length: n * d }, (_, i) => {
    const blob = Math.floor(i / d) % count;
    return centres[blob * d + (i % d)]! + spread * random.normal();
  });
}

test('planted blobs come back, with k-means++ and re-seeding', () => {
  const rows = blobs(2000, 6, 40, 0.1);
  for (const initialization of ['random', 'k-means++'] as const) {
    const { labels } = run(rows, 6, { clusters: 40, initialization, minClusterSize: 25, iterations: 30 });
    for (let row = 40; row < 2000; row++) assert.equal(labels[row], labels[row % 40], initialization);
    assert.equal(new Set(labels).size, 40);
  }
});

test('k-means++ starts better than random rows', () => {
  const rows = blobs(3000, 8, 60, 1);
  const [random, plus] = (['random', 'k-means++'] as const).map((initialization) => {
    const { steps } = run(rows, 8, { clusters: 60, initialization, iterations: 1 });
    return steps[0]!.meanSquaredDistance!;
  });
  assert.ok(plus! < 0.5 * random!, `${plus} ${random}`);
});

test('the objective never rises, is the mean squared distance, and a settled run ends', () => {
  const rows = blobs(1500, 5, 3, 2);
  const options = { clusters: 30, minClusterSize: 0, tolerance: 0 };
  const { steps } = run(rows, 5, { ...options, iterations: 200 });
  const values = steps.map(({ meanSquaredDistance }) => meanSquaredDistance!);
  for (let i = 1; i < values.length; i++) assert.ok(values[i]! <= values[i - 1]! * (1 + 1e-6), `${i}`);
  assert.ok(steps.length < 200, 'nothing moves any more');
  const before = run(rows, 5, { ...options, iterations: 3 });
  let sum = 0;
  before.labels.forEach((label, row) => {
    for (let t = 0; t < 5; t++) sum += (rows[row * 5 + t]! - before.centroids.matrix.row(label)[t]!) ** 2;
  });
  assert.ok(Math.abs(sum / 1500 - values[3]!) < 1e-4 * values[3]!);
});

test('clusters below the minimum are re-seeded: sizes even out', () => {
  const random = new Generator(4);
  const rows = Float32Array.from({ length: 4000 * 4 }, (_, i) => random.normal() * (i < 800 ? 30 : 1));
  const sizesOf = (minClusterSize: number): number => {
    const { labels } = run(rows, 4, { clusters: 100, minClusterSize, iterations: 12 });
    const sizes = new Int32Array(100);
    for (const label of labels) sizes[label]!++;
    return sizes.filter((size) => size < 10).length;
  };
  assert.ok(sizesOf(20) < 0.5 * sizesOf(0));
});

test('fewer rows than clusters, one row, equal rows, zero rows', () => {
  const { centroids, labels } = run(blobs(7, 3, 7, 0), 3, { clusters: 20 });
  assert.equal(centroids.count, 7);
  assert.equal(new Set(labels).size, 7);
  const one = run(Float32Array.of(1, 2, 3), 3, {});
  assert.deepEqual([...one.centroids.matrix.data], [1, 2, 3]);
  for (const value of [0, 2.5]) {
    for (const initialization of ['random', 'k-means++'] as const) {
      const same = run(new Float32Array(200).fill(value), 4, { clusters: 12, initialization, isSpherical: false });
      assert.ok(same.centroids.matrix.data.every((x) => x === value));
      assert.ok(same.steps.every(({ meanSquaredDistance }) => meanSquaredDistance! < 1e-4));
    }
  }
});

test('spherical centroids have length 1', () => {
  const { centroids } = run(blobs(300, 4, 5, 1), 4, { isSpherical: true });
  for (let c = 0; c < centroids.count; c++) {
    assert.ok(Math.abs(Math.hypot(...centroids.matrix.row(c)) - 1) < 1e-6);
  }
});

test('what is not finite is refused by row and column, and the memory is given back', () => {
  const rows = blobs(50, 4, 5, 1);
  rows[4 * 17 + 2] = Number.NaN;
  const { usedBytes } = RUNTIME.heap;
  const matrix = Matrix.from('rows', { data: rows, dimensions: 4 }, RUNTIME);
  assert.throws(
    () => run(matrix.data, 4, {}),
    (error: Error) => error instanceof NotFiniteError && /got NaN in row 17, column 2/.test(error.message),
  );
  matrix.free();
  assert.ok(RUNTIME.heap.usedBytes - usedBytes <= 1024);
});

test('the same centroids for any variant and number of threads', () => {
  const rows = blobs(1200, 7, 50, 3);
  const reference = VARIANTS.filter(({ skip }) => !skip).map(({ runtime }) => runtime);
  const threaded = [1, 3].map((threads) => new Runtime({ threads }));
  const options = { clusters: 70, minClusterSize: 8, initialization: 'k-means++', iterations: 5 } as const;
  const [first, ...others] = [...reference, ...threaded].map((runtime) => {
    const { centroids } = run(rows, 7, { ...options, random: new Generator(3) }, runtime);
    return centroids.matrix.data.slice();
  });
  for (const runtime of threaded) runtime.pool.stop();
  for (const other of others) assert.deepEqual(other, first);
});
