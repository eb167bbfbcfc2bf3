/** k-means along lists of near centroids: bounded comparisons, distances, planted clusters, the same bits everywhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignMoved } from '../../src/clustering/assign-moved.ts';
import { Centroids } from '../../src/clustering/centroids.ts';
import { type AssignSample, kMeans } from '../../src/clustering/k-means.ts';
import { NearCentroids, usesNeighbours } from '../../src/clustering/near-centroids.ts';
import { defaultRuntime, Runtime } from '../../src/parallel/runtime.ts';
import { finish } from '../../src/parallel/steps.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

interface Trained {
  data: Float32Array;
  labels: Int32Array;
  meanSquaredDistance: number;
  /** Comparisons of the iterations, and of the assignment of all rows; 0 where all centroids are compared. */
  comparisons: [number, number];
}

/** k-means from random rows, and the assignment of all rows. */
function train(rows: Matrix, clusters: number, isNear: boolean, iterations = 8): Trained {
  const { runtime, rows: n, offset } = rows;
  const { heap } = runtime;
  let near: NearCentroids | undefined;
  const assignNear: AssignSample = (centroids, sample, labels, scores) => {
    near ??= new NearCentroids(centroids, new Generator(2));
    near.assignSample(sample, labels, scores);
  };
  const how = { clusters, iterations, sampleSize: n, initialization: 'random', minClusterSize: 1 } as const;
  const assign = isNear ? assignNear : assignMoved();
  const centroids = finish(kMeans(rows, { ...how, isSpherical: false, random: new Generator(1), assign }, runtime));
  const trained = near?.comparisons ?? 0;
  near?.update();
  const updated = near?.comparisons ?? 0;
  const [labels, scores] = [heap.allocate(4 * n), heap.allocate(4 * n)];
  (near ?? centroids).assign(offset, n, labels, scores);
  let sum = 0;
  for (const value of rows.data) sum += value * value;
  for (const score of scores.floats(n)) sum -= 2 * score;
  const comparisons: [number, number] = [trained, (near?.comparisons ?? 0) - updated];
  const data = centroids.matrix.data.slice();
  const result = { data, labels: labels.integers(n).slice(), meanSquaredDistance: sum / n, comparisons };
  for (const each of [labels, scores, centroids, near]) each?.free();
  return result;
}

function sumsOfTwoRows(n: number, d: number, count: number, runtime: Runtime): Matrix {
  const random = new Generator(5);
  const table = Float32Array.from({ length: 2 * count * d }, () => random.normal());
  const rows = new Matrix(n, d, runtime);
  for (let i = 0; i < n; i++) {
    const [a, b] = [random.below(count) * d, (count + random.below(count)) * d];
    for (let t = 0; t < d; t++) rows.data[i * d + t] = table[a + t]! + table[b + t]!;
  }
  return rows;
}

test('with all centroids in one list, rows have the labels and scores of whole assignments', () => {
  const runtime = defaultRuntime();
  // Whole numbers have many ties; 36 is the length of a list for three dimensions.
  for (const count of [1, 7, 36]) {
    const random = new Generator(count);
    const rows = new Matrix(300, 3, runtime);
    rows.data.forEach((_, i, data) => (data[i] = random.below(9)));
    const [near, whole] = [true, false].map((isNear) => train(rows, count, isNear));
    assert.deepEqual({ ...near, comparisons: 0 }, { ...whole, comparisons: 0 });
  }
});

for (const { clusters, rows: n, most } of [
  { clusters: 1024, rows: 6_000, most: [0.35, 1] },
  { clusters: 2500, rows: 12_000, most: [0.25, 0.6] },
]) {
  test(`${clusters} centroids: few comparisons, distances at most a hundredth larger, any number of threads`, () => {
    const [one, three] = [1, 3].map((threads) => {
      const runtime = new Runtime({ threads });
      const near = train(sumsOfTwoRows(n, 8, 1000, runtime), clusters, true);
      runtime.pool.stop();
      return near;
    });
    assert.deepEqual(three, one);
    const { meanSquaredDistance: near, comparisons } = one!;
    const { meanSquaredDistance: whole } = train(sumsOfTwoRows(n, 8, 1000, defaultRuntime()), clusters, false);
    assert.ok(near <= 1.01 * whole, `${near / whole}`);
    const shares = [comparisons[0] / (8 * n * clusters), comparisons[1] / (n * clusters)];
    for (const [i, share] of shares.entries()) assert.ok(share <= most[i]!, `${shares}`);
  });
}

test('lists are used where they save time: many centroids, enough rows for each, few dimensions', () => {
  const cases: [rows: number, count: number, dimensions: number, isUsed: boolean][] = [
    [100_000, 1023, 8, false],
    [100_000, 1024, 8, true],
    [100_000, 1024, 2, true],
    [100_000, 1024, 16, false],
    [100_000, 2048, 16, true],
    [1_000_000, 30_000, 17, false],
    [16 * 4000 - 1, 4000, 8, false],
    [16 * 4000, 4000, 8, true],
    [65_536, 8192, 8, true],
  ];
  for (const [rows, count, dimensions, isUsed] of cases) {
    assert.equal(usesNeighbours(rows, count, dimensions), isUsed, `${rows} × ${dimensions}, ${count} centroids`);
  }
});

test('planted clusters come back', () => {
  const random = new Generator(6);
  const [count, d, n] = [2100, 6, 12_600];
  const centres = Float32Array.from({ length: count * d }, () => 100 * random.normal());
  const runtime = defaultRuntime();
  const rows = new Matrix(n, d, runtime);
  rows.data.forEach((_, i, data) => {
    data[i] = centres[(Math.floor(i / d) % count) * d + (i % d)]! + 0.01 * random.normal();
  });
  // The centroids are the planted centres: each row must find its own among all of them.
  const centroids = new Centroids(count, d, runtime);
  centroids.matrix.data.set(centres);
  centroids.pack();
  const near = new NearCentroids(centroids, new Generator(1));
  const [labels, scores] = [runtime.heap.allocate(4 * n), runtime.heap.allocate(4 * n)];
  near.assign(rows.offset, n, labels, scores);
  const found = labels.integers(n).filter((label, row) => label === row % count).length;
  for (const each of [labels, scores, near, centroids, rows]) each.free();
  assert.ok(found >= 0.99 * n, `${found} of ${n}`);
});

test('equal rows, rows of zeros and numbers whose squares overflow get a label, and the memory is given back', () => {
  const runtime = new Runtime({ threads: 1 });
  for (const value of [0, 2.5, 1e30]) {
    const rows = new Matrix(3000, 2, runtime);
    rows.data.fill(value);
    const { usedBytes } = runtime.heap;
    const { labels } = train(rows, 2100, true, 2);
    assert.ok(labels.every((label) => label >= 0 && label < 2100));
    assert.ok(runtime.heap.usedBytes - usedBytes <= 1 << 20, `${runtime.heap.usedBytes - usedBytes}`);
    rows.free();
  }
});
