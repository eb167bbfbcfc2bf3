/** BruteForce: the cases of every index, snapshots, sizes that cross chunks, and the same bits on all threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { Identifier } from '../../src/topk/contract.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { bestRows, flat, normalRows } from '../conformance/oracle.ts';
import { runTopKCases } from '../conformance/top-k.case.ts';
import { VARIANTS } from '../kernels/variants.ts';
import { collectedBytes } from '../memory/collected-bytes.ts';

runTopKCases({ name: 'BruteForce', make: (options) => new BruteForce(options) });
for (const { variant, runtime, skip } of VARIANTS) {
  runTopKCases({ name: `BruteForce, ${variant}`, make: (options) => new BruteForce({ ...options, runtime }), skip });
}

test('index takes a snapshot and returns itself', () => {
  const runtime = new Runtime({ threads: 1 });
  const rows = Matrix.from('rows', [[1], [2]], runtime);
  const names = ['a', 'b'];
  const index = new BruteForce<ArrayLike<number>, string>({ runtime }).index(rows, names);
  rows.data.set([9, 0]);
  names[1] = 'changed';
  assert.deepEqual(index.call([1]).hits(), [
    { identifier: 'b', score: 2 },
    { identifier: 'a', score: 1 },
  ]);
  assert.equal(index.size, 2);
  assert.equal(index.dimensions, 1);
});

test('an index that could not be replaced is as before', async () => {
  const runtime = new Runtime({ threads: 1 });
  const index = new BruteForce<ArrayLike<number>, string>({ runtime }).index([[1], [2]], ['a', 'b']);
  index.call([1]);
  const used = await collectedBytes(runtime.heap);
  assert.throws(() => index.index([[1], [Number.NaN]]), { code: 'ERR_NOT_FINITE' });
  assert.throws(() => index.index([[1]], ['a', 'b']), { code: 'ERR_SHAPE' });
  await assert.rejects(
    index.indexFromDataset(
      (function* () {
        yield [[1]];
        throw new Error('the source broke');
      })(),
    ),
    /the source broke/,
  );
  assert.deepEqual(index.call([1]).identifiers(), ['b', 'a']);
  assert.equal(runtime.heap.usedBytes, used);
});

test('one query or a batch, any threads and any variant: the same bits as a sort', () => {
  const n = 20_000;
  const candidates = normalRows(n, 7, 5, 'candidates');
  const queries = normalRows(70, 7, 6, 'queries');
  const runtimes = [1, 2, 3].map((threads) => new Runtime({ variant: 'simd128', threads }));
  const relaxed = VARIANTS.find(({ variant, skip }) => variant === 'relaxed' && !skip);
  if (relaxed) runtimes.push(relaxed.runtime);
  const best = new Map([0, 33, 69].map((query) => [query, bestRows(queries[query]!, candidates, 100)]));
  for (const runtime of runtimes) {
    const index = new BruteForce<ArrayLike<number>, number>({ runtime }).index(flat(candidates));
    for (const k of [1, 10, 100]) {
      const batch = index.call(queries, k);
      for (const [query, ranked] of best) {
        const expected = ranked.slice(0, k);
        assert.deepEqual(
          [...batch.rowsOf(query)],
          expected.map(({ row }) => row),
        );
        assert.deepEqual(
          [...batch.scoresOf(query)],
          expected.map(({ score }) => score),
        );
        const alone = index.call(queries[query]!, k);
        assert.deepEqual(alone.rowsOf(), batch.rowsOf(query));
        assert.deepEqual(alone.scoresOf(), batch.scoresOf(query));
      }
    }
    runtime.pool.stop();
  }
});

test('any shape, any filter: equal to a sort', () => {
  const runtime = new Runtime({ threads: 2 });
  const shape = fc.record({
    n: fc.integer({ min: 1, max: 300 }),
    d: fc.integer({ min: 1, max: 9 }),
    queries: fc.integer({ min: 1, max: 9 }),
    k: fc.integer({ min: 1, max: 320 }),
    values: fc.integer({ min: 1, max: 4 }),
    modulo: fc.integer({ min: 1, max: 5 }),
    seed: fc.integer({ min: 0, max: 1e6 }),
  });
  fc.assert(
    fc.property(shape, ({ n, d, queries, k, values, modulo, seed }) => {
      // Few distinct integers, so that ties are everywhere.
      const rounded = (rows: Float32Array[]): Float32Array[] =>
        rows.map((row) => row.map((x) => Math.round(x * values)));
      const candidates = rounded(normalRows(n, d, seed, 'candidates'));
      const asked = rounded(normalRows(queries, d, seed, 'queries'));
      const index = new BruteForce<ArrayLike<number>, Identifier>({ runtime, k }).index(candidates);
      const allowed = (row: number): boolean => row % modulo === 0;
      const result = index.call(asked, { filter: (_, row) => allowed(row) });
      asked.forEach((query, b) => {
        const best = bestRows(query, candidates, k, allowed);
        assert.deepEqual(
          result.hits(b),
          best.map(({ row, score }) => ({ identifier: row, score: score + 0 })),
        );
      });
    }),
    { numRuns: 150, seed: 11 },
  );
  runtime.pool.stop();
});

test('exclusions of many queries over many rows stay within the group memory', () => {
  const runtime = new Runtime({ threads: 2 });
  const candidates = normalRows(9000, 2, 1, 'candidates');
  const queries = normalRows(1500, 2, 2, 'queries');
  const index = new BruteForce<ArrayLike<number>, number>({ runtime, k: 3 }).index(flat(candidates));
  const free = index.call(queries);
  const exclusions = queries.map((_, b) => free.identifiers(b).slice(0, b % 3));
  const result = index.queryWithExclusions(queries, exclusions);
  for (const b of [0, 1, 2, 1023, 1024, 1499]) {
    const expected = bestRows(queries[b]!, candidates, 3, (row) => !exclusions[b]!.includes(row));
    assert.deepEqual(
      result.identifiers(b),
      expected.map(({ row }) => row),
    );
  }
  runtime.pool.stop();
});

test('room that the memory cannot hold is refused before any of it is allocated', () => {
  const index = new BruteForce({ runtime: new Runtime({ threads: 1 }) }).index([[1, 2]]);
  const { memory } = index.runtime.heap;
  const before = memory.sizeBytes;
  assert.throws(() => index.reserve(2 ** 40), { code: 'ERR_MEMORY', message: /need of \d+ bytes .*what would fit/ });
  assert.equal(memory.sizeBytes, before);
  assert.deepEqual(index.call([1, 0], 1).identifiers(), [0]);
});
