/** Centroids in groups: with all groups the bits of `Centroids`, with few of them nearly the same centroids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Centroids } from '../../src/clustering/centroids.ts';
import { GroupedCentroids, type RowAssigner } from '../../src/clustering/grouped-centroids.ts';
import { defaultRuntime, Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';

interface Assigned {
  labels: Int32Array;
  scores: Float32Array;
}

function centroidsOf(matrix: Matrix): Centroids {
  const centroids = new Centroids(matrix.rows, matrix.dimensions, matrix.runtime);
  centroids.matrix.data.set(matrix.data);
  centroids.pack();
  return centroids;
}

function assign(assigner: RowAssigner, { offset, rows: n, runtime }: Matrix): Assigned {
  const [labels, scores] = [runtime.heap.allocate(4 * n), runtime.heap.allocate(4 * n)];
  assigner.assign(offset, n, labels, scores);
  const assigned = { labels: labels.integers(n).slice(), scores: scores.floats(n).slice() };
  for (const each of [labels, scores, assigner]) each.free();
  return assigned;
}

function randomRows(rows: number, d: number, random: Generator, runtime: Runtime, isRough = false): Matrix {
  const matrix = new Matrix(rows, d, runtime);
  for (let i = 0; i < rows * d; i++) matrix.data[i] = isRough ? random.below(3) : random.normal();
  return matrix;
}

test('compared with all groups, rows have the labels and scores of the comparison with all centroids', () => {
  const runtime = defaultRuntime();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 }), fc.boolean(), (count, d, isRough) => {
      const random = new Generator(count * 10 + d);
      const centroids = centroidsOf(randomRows(count, d, random, runtime, isRough));
      const rows = randomRows(37, d, random, runtime, isRough);
      const grouped = new GroupedCentroids(centroids, random, count);
      assert.deepEqual(assign(grouped, rows), assign(centroids, rows));
    }),
    { numRuns: 25 },
  );
});

test('compared with 24 of 40 groups nearly all rows find their nearest centroid, on any number of threads', () => {
  const found = [1, 3].map((threads) => {
    const runtime = new Runtime({ threads });
    const random = new Generator(1);
    const centroids = centroidsOf(randomRows(1_600, 8, random, runtime));
    const rows = randomRows(500, 8, random, runtime);
    const grouped = assign(new GroupedCentroids(centroids, random), rows);
    const exact = assign(centroids, rows);
    const same = grouped.labels.filter((label, row) => label === exact.labels[row]);
    for (const [row, label] of grouped.labels.entries()) {
      if (label === exact.labels[row]) assert.equal(grouped.scores[row], exact.scores[row]);
      else assert.ok(grouped.scores[row]! <= exact.scores[row]!);
    }
    assert.ok(same.length >= 490, `${same.length} of 500`);
    return grouped;
  });
  assert.deepEqual(found[0], found[1]);
});
