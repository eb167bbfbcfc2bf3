/**
 * Odd input that ScaNN 1.4.2 and TFRS 0.7.7 handle wrongly, and the results of ours. Impossible requests are refused
 * before anything changes.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saveIndex } from '../../src/bundle/registry.ts';
import { readSaved } from '../../src/format/part.ts';
import { containerSections } from '../../src/format/saved.ts';
import { bytesSource } from '../../src/format/source.ts';
import { FactorizedTopK } from '../../src/metrics/factorized-top-k.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { loadScann } from '../../src/topk/scann/saved-scann.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { normalRows } from '../conformance/oracle.ts';
import { containerOf } from '../format/containers.ts';
import { collectedBytes } from '../memory/collected-bytes.ts';

const runtime = new Runtime({ threads: 2 });
const rows = normalRows(1000, 8, 1);
const queries = normalRows(30, 8, 2);
type Options = ScannOptions<ArrayLike<number>>;
type Index = ScaNN<ArrayLike<number>, number>;
const make = (options: Options = {}, own = runtime): Index =>
  new ScaNN<ArrayLike<number>, number>({ tree: 'always', numLeaves: 60, minLeafSize: 4, runtime: own, ...options });
const exact = new BruteForce<ArrayLike<number>, number>({ runtime }).index(rows);

test('more leaves than candidates, and fewer candidates than codewords (ScaNN refuses both)', () => {
  for (const size of [1, 2, 15, 16, 17, 50, 99]) {
    const index = new ScaNN<ArrayLike<number>, number>({ tree: 'always', runtime }).index(rows.slice(0, size));
    const found = index.call(queries, { k: size, leavesToSearch: 100, reorder: size });
    assert.deepEqual(
      [...found.rowsOf(0)].sort((a, b) => a - b),
      [...Array(size).keys()],
      `${size} candidates`,
    );
  }
});

test('what is not found is not there: lists of their own length, never padded with candidate 0 and NaN', () => {
  for (const options of [{}, { soar: 1 }, { reorder: false }, { distanceMeasure: 'squared_l2' }] as Options[]) {
    const index = make(options).index(rows);
    const found = index.call(queries, { k: 50, leavesToSearch: 1 });
    const lengths = new Set(found.counts);
    assert.ok(lengths.size > 1 && Math.min(...lengths) < 50, String([...lengths]));
    queries.forEach((query, b) => {
      assert.equal(found.hits(b).length, found.counts[b]);
      assert.equal(new Set(found.rowsOf(b)).size, found.counts[b]);
      assert.ok(found.scoresOf(b).every(Number.isFinite));
      assert.deepEqual(index.call(query, { k: 50, leavesToSearch: 1 }).hits(), found.hits(b));
    });
  }
});

test('more results than candidates reordered: the reordering grows (ScaNN cuts the results)', () => {
  const index = make({ numReorderingCandidates: 30 }).index(rows);
  for (const k of [31, 100, 1000]) {
    const found = index.call(queries, { k, leavesToSearch: 60, groupBound: false });
    assert.ok(found.counts.every((count) => count === k));
  }
  assert.deepEqual(
    index.call(queries, { k: 1000, leavesToSearch: 60, groupBound: false }).rows,
    exact.call(queries, 1000).rows,
  );
});

test('float64 rows, flat rows and typed queries are what they say', () => {
  const doubles = rows.map((row) => Float64Array.from(row));
  const index = make().index(doubles);
  assert.deepEqual(index.parts(), make().index(rows).parts());
  const found = index.call(queries.map((query) => Float64Array.from(query)));
  assert.deepEqual(found.rows, index.call(queries).rows);
});

test('numbers that are not finite name row and column, in candidates, queries and upserts', () => {
  const bad = (value: number): Float32Array[] => rows.map((row, i) => (i === 7 ? row.with(3, value) : row));
  const index = make().index(rows);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const expected = { code: 'ERR_NOT_FINITE', message: /row 7, column 3/ };
    assert.throws(() => index.index(bad(value)), expected);
    assert.throws(() => index.call(bad(value).slice(0, 20)), expected);
    assert.throws(() => index.call(bad(value)[7]!), { code: 'ERR_NOT_FINITE', message: /row 0, column 3/ });
    assert.throws(() => index.upsert([...Array(20).keys()], bad(value).slice(0, 20)), expected);
  }
  assert.equal(index.size, 1000);
});

test('leaves, reordering and results out of range are refused, more leaves than there are is clamped and said', () => {
  const index = make({ numLeavesToSearch: 61 }).index(rows);
  assert.match(index.stats().notes.join(), /numLeavesToSearch: 60, all leaves, instead of 61/);
  assert.equal(index.call(queries, { leavesToSearch: 10_000 }).queries, 30);
  for (const call of [{ leavesToSearch: 0 }, { leavesToSearch: 1.5 }, { reorder: 0 }, { groupBound: -1 }, { k: -1 }]) {
    assert.throws(() => index.call(queries, call), { code: 'ERR_OPTION' }, JSON.stringify(call));
  }
  for (const options of [
    { minLeafSize: -1 },
    { trainingSampleSize: 0 },
    { dimensionsPerBlock: 17 },
    { numReorderingCandidates: 0 },
    { groupBound: -1 },
    { avq: 0.5 },
    { reorder: 'float16' as 'float32' },
    { initialization: 'first' as 'random' },
    { tree: 'sometimes' as 'auto' },
    { rotation: 'pca' as 'none' },
  ] as Options[]) {
    assert.throws(() => new ScaNN(options), { code: 'ERR_OPTION' }, JSON.stringify(options));
  }
});

test('spherical centroids of rows that are not of length 1 lose recall, not results', () => {
  const index = make({ spherical: true }).index(rows);
  assert.deepEqual(index.call(queries, { leavesToSearch: 60, reorder: 1000 }).rows, exact.call(queries).rows);
});

test('indexing again without identifiers numbers the rows (TFRS keeps the old identifiers)', () => {
  const index = new ScaNN<ArrayLike<number>, string | number>({ tree: 'always', runtime });
  index.index(
    rows,
    rows.map((_, i) => `id ${i}`),
  );
  const again = index.index(rows).call(queries[0]!, { exact: true });
  assert.deepEqual(again.identifiers(), [...exact.call(queries[0]!).rowsOf()]);
});

test('squared distances are scores as well: larger is better, so that metrics can be measured (TFRS: ascending)', () => {
  const index = make({ distanceMeasure: 'squared_l2' }).index(rows);
  const scores = index.call(rows[5]!, { k: 20, leavesToSearch: 60 }).scoresOf();
  assert.deepEqual(
    [...scores],
    [...scores].sort((a, b) => b - a),
  );
  assert.ok(scores[0] === 0 && scores[19]! < 0);
  const metric = new FactorizedTopK<number>({ candidates: index as never, ks: [1] });
  metric.update(rows.slice(0, 40), { trueIdentifiers: [...Array(40).keys()] });
  assert.equal(metric.result()['factorized_top_k/top_1_categorical_accuracy'], 1);
});

test('saved before the first call, and loaded: k and exclusions are still per call (TFRS freezes k, loses exclusions)', async () => {
  const index = make().index(rows);
  const bytes = containerOf(containerSections(saveIndex(index)));
  const loaded = await readSaved(bytesSource(bytes), (part) => loadScann<ArrayLike<number>, number>(part), runtime);
  for (const k of [3, 20]) {
    const first = index.call(queries, k);
    assert.deepEqual(loaded.call(queries, k).rows, first.rows);
    const exclude = queries.map((_, b) => [...first.rowsOf(b)]);
    const without = loaded.queryWithExclusions(queries, exclude, k);
    assert.deepEqual(without.rows, index.queryWithExclusions(queries, exclude, k).rows);
    queries.forEach((_, b) => assert.ok(without.rowsOf(b).every((row) => !exclude[b]!.includes(row))));
  }
});

test('a call before index, of the wrong width, or with exclusions of another length', () => {
  assert.throws(() => make().call(queries), { code: 'ERR_STATE' });
  const index = make().index(rows);
  assert.throws(() => index.call([[1, 2]]), { code: 'ERR_SHAPE' });
  assert.throws(() => index.call(queries, { exclude: [[1], [2]] }), { code: 'ERR_SHAPE' });
  assert.throws(() => index.index(rows, [1, 2]), { code: 'ERR_SHAPE' });
});

test('aborted after any step of a build or a rebalance: the old index serves, and no memory is kept', async () => {
  const own = new Runtime({ threads: 1 });
  const options: Options = {
    numLeaves: 20,
    soar: 1,
    upperTree: true,
    rotation: balancedPca.name,
    distanceMeasure: 'squared_l2',
    trainingIterations: 2,
  };
  const index = make(options, own).index(rows);
  index.call(queries);
  const before = index.call(queries, { exact: true });
  const runs = {
    index: (signal: AbortSignal, onProgress: () => void) =>
      index.indexAsync(rows.slice(500), undefined, { signal, onProgress }),
    rebalance: (signal: AbortSignal, onProgress: () => void) => index.rebalance({ signal, onProgress }),
  };
  for (const [name, run] of Object.entries(runs)) {
    const used = await collectedBytes(own.heap);
    let isAborted = true;
    for (let last = 1; isAborted; last++) {
      const controller = new AbortController();
      let step = 0;
      const onProgress = (): void => {
        if (++step === last) controller.abort();
      };
      isAborted = await run(controller.signal, onProgress).then(
        () => false,
        (error: { code: string }) => {
          assert.equal(error.code, 'ERR_ABORTED');
          return true;
        },
      );
      if (!isAborted) assert.ok(last > 8, `${name}: ${last} steps`);
      else {
        assert.equal(own.heap.usedBytes, used, `${name}, step ${last}`);
        assert.deepEqual(index.call(queries, { exact: true }).scores, before.scores);
      }
    }
    index.index(rows);
  }
});

test('a rebalance that has no room leaves the old index serving', async () => {
  const own = new Runtime({ threads: 1 });
  const index = make({}, own).index(normalRows(20_000, 40, 3));
  const asked = normalRows(5, 40, 4);
  const before = index.call(asked);
  // Held to the end: a block that nobody knows goes back to the heap when the collector notices.
  const filling = own.heap.allocate(4 * 2 ** 30 - own.heap.memory.sizeBytes - 4 * 2 ** 20);
  await assert.rejects(index.rebalance(), { code: 'ERR_MEMORY', message: /got a need of \d+/ });
  assert.deepEqual(index.call(asked).scores, before.scores);
  filling.free();
});

test('leaves of skewed candidates stay within ten times the mean', () => {
  const count = 8_000;
  const seeds = normalRows(200, 8, 5);
  const skewed = {
    'a few clusters that hold most': normalRows(count, 8, 6).map((row, i) =>
      row.map((x, t) => seeds[Math.floor(200 * ((i % 1000) / 1000) ** 4)]![t]! + 0.02 * x),
    ),
    'nine in ten within a hundredth': normalRows(count, 8, 7).map((row, i) => row.map((x) => (i % 10 ? 0.01 : 3) * x)),
    'lengths over four magnitudes': normalRows(count, 9, 8).map((row) =>
      row.subarray(0, 8).map((x) => Math.exp(2 * row[8]!) * x),
    ),
  };
  for (const [name, candidates] of Object.entries(skewed)) {
    for (const distanceMeasure of ['dot_product', 'squared_l2'] as const) {
      const index = make({ numLeaves: 130, minLeafSize: 20, distanceMeasure }).index(candidates);
      const { leafSizes, leaves } = index.stats();
      assert.ok(leafSizes.most < (10 * count) / leaves, `${name}, ${distanceMeasure}: ${JSON.stringify(leafSizes)}`);
      index.free();
    }
  }
});
