/** Scores that float32 cannot hold: the largest number of their sign, on every path; sums without a sign come last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { segmentsOf } from '../../src/topk/scann/segments/segments.ts';
import { Streaming } from '../../src/topk/streaming/streaming.ts';

const runtime = new Runtime({ threads: 2 });
const MAX = (2 - 2 ** -23) * 2 ** 127;
const vectors = [
  [3e38, -3e38],
  [1, 1],
  [-3e38, -3e38],
  [3e38, 3e38],
  [0, 0],
];
const query = [3e38, 3e38];
// 9e76 − 9e76 is a sum without a sign in float32; 3e38 + 3e38 overflows too.
const WANTED = [
  ['b', MAX],
  ['d', MAX],
  ['e', 0],
  ['a', -MAX],
  ['c', -MAX],
];
const names = ['a', 'b', 'c', 'd', 'e'];
const pairs = (hits: readonly { identifier: unknown; score: number }[]): unknown[] =>
  hits.map(({ identifier, score }) => [identifier, score]);

test('the exact index, a stream, and ScaNN without and with leaves', async () => {
  const flat = { runtime, tree: 'never' } as const;
  const indexes = [
    new BruteForce<ArrayLike<number>, string>({ runtime }).index(vectors, names),
    new ScaNN<ArrayLike<number>, string>(flat).index(vectors, names),
  ];
  for (const index of indexes) {
    assert.deepEqual(pairs(index.call(query, 9).hits()), WANTED);
    assert.deepEqual(pairs(index.call([query, [1, 0], query], 9).hits(2)), WANTED);
    assert.deepEqual(pairs((await index.callAsync(query, 9)).hits()), WANTED);
    assert.deepEqual(pairs(index.call(query, { k: 1, exclude: ['b', 'd', 'e', 'c'] }).hits()), [['a', -MAX]]);
  }
  const stream = new Streaming<ArrayLike<number>, string>({ runtime }).indexFromDataset([[names, vectors]]);
  assert.deepEqual(pairs((await (await stream).callAsync(query, 9)).hits()), WANTED);
  const squared = new ScaNN<ArrayLike<number>, string>({ ...flat, distanceMeasure: 'squared_l2' }).index(
    vectors,
    names,
  );
  assert.deepEqual(
    squared
      .call([-3e38, -3e38], 9)
      .hits()
      .map(({ score }) => score),
    [0, -MAX, -MAX, -MAX, -MAX],
  );
});

test('an index with leaves, and one with coarse codes: finite scores, as many as asked', () => {
  const many = (count: number): Float32Array =>
    Float32Array.from({ length: 4 * count }, (_, i) => Math.sin(i * i) * (i % 4_000 < 4 ? 3e38 : 1));
  for (const options of [{}, { reorder: 'bfloat16' }, { reorder: 'int8' }, { soar: 1 }] as const) {
    const index = new ScaNN<ArrayLike<number>, number>({ runtime, tree: 'always', numLeaves: 10, ...options });
    const found = index.index({ data: many(2_000), dimensions: 4 }).call([3e38, -3e38, 3e38, 1], 50);
    assert.equal(found.counts[0], 50);
    assert.ok(found.scoresOf(0).every(Number.isFinite), JSON.stringify(options));
  }
  const data = many(70_000);
  const [coarse, plain] = [true, false].map((coarseCodes) =>
    new BruteForce<ArrayLike<number>, number>({ runtime, coarseCodes }).index({ data, dimensions: 4 }),
  );
  for (const q of [
    [3e38, -3e38, 3e38, 1],
    [1, 2, 3, 4],
    [1e-30, 0, 0, 0],
  ]) {
    assert.deepEqual(coarse!.call(q, 100).hits(), plain!.call(q, 100).hits());
  }
});

for (const distanceMeasure of ['dot_product', 'squared_l2'] as const) {
  test(`an index with leaves in which every distance overflows is built, searched, saved and loaded: ${distanceMeasure}`, async () => {
    const generator = new Generator(3);
    const rows = Array.from({ length: 60 }, () =>
      Float32Array.from({ length: 5 }, () => [3e38, -3e38, 1e20, 1, -1e38, 0][generator.below(6)]!),
    );
    // Nearly all are at one end of the numbers, so that their mean is, too.
    const oneSided = rows.map((row) => row.map((x) => (x === -3e38 && generator.uniform() < 0.9 ? 3e38 : x)));
    for (const candidates of [rows, oneSided]) {
      const how = { runtime, distanceMeasure, tree: 'always', numLeaves: 3, minLeafSize: 1 } as const;
      const index = new ScaNN(how).index(candidates);
      const wanted = new ScaNN({ ...how, tree: 'never' }).index(candidates).call(candidates.slice(0, 3), 9);
      const found = index.call(candidates.slice(0, 3), 9);
      assert.deepEqual([found.rows, found.scores], [wanted.rows, wanted.scores]);
      const { index: loaded } = await bundleFromBytes(bundleToBytes({ index }), { runtime });
      const again = (loaded as ScaNN).call(candidates.slice(0, 3), 9);
      assert.deepEqual([again.rows, again.scores], [wanted.rows, wanted.scores]);
      assert.ok(Number.isFinite((loaded as ScaNN).drift().builtDistance));
    }
  });
}

test('a search of all leaves, asked for by their number, finds every candidate although every score overflows', async () => {
  const candidates = Array.from({ length: 60 }, (_, i) => Float32Array.of(3e38, i % 2 === 0 ? 3e38 : -3e38));
  const queries = [Float32Array.of(3e38, 1), Float32Array.of(-3e38, -1)];
  const one = { runtime, tree: 'always', numLeaves: 3, minLeafSize: 1 } as const;
  const wanted = new BruteForce({ runtime }).index(candidates).call(queries, 9);
  for (const options of [one, { ...one, segments: segmentsOf(1_024) }]) {
    const index = new ScaNN(options).index(candidates);
    for (const leavesToSearch of [undefined, 3, 1_000]) {
      for (const found of [
        index.call(queries, { k: 9, leavesToSearch }),
        await index.callAsync(queries, { k: 9, leavesToSearch }),
      ]) {
        assert.deepEqual(
          [[...found.counts], found.scores],
          [[9, 9], wanted.scores],
          `leavesToSearch ${leavesToSearch}`,
        );
      }
    }
  }
});
