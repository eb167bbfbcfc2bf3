/** Results of ScaNN: exact at full effort, better with more effort, and the same for every form of a call. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { recallOf } from '../../src/topk/recall.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { flat, normalRows } from '../conformance/oracle.ts';

const runtime = new Runtime({ threads: 2 });
const N = 3000;
const D = 12;
const rows = normalRows(N, D, 1);
const queries = normalRows(40, D, 2);
type Options = ScannOptions<ArrayLike<number>>;
const make = (options: Options = {}, own = runtime): ScaNN<ArrayLike<number>, number> =>
  new ScaNN<ArrayLike<number>, number>({ tree: 'always', numLeaves: 50, runtime: own, ...options }).index(rows);
const ALL = { leavesToSearch: 50, reorder: N };

function recall(index: ScaNN<ArrayLike<number>, number>, options: object, truth = exact): number {
  const found = index.call(queries, { k: 10, ...options });
  let hits = 0;
  for (let b = 0; b < queries.length; b++) {
    const wanted = new Set(truth.rowsOf(b));
    for (const row of found.rowsOf(b)) hits += Number(wanted.has(row));
  }
  return hits / (10 * queries.length);
}

const exact = new BruteForce<ArrayLike<number>, number>({ runtime }).index(rows).call(queries, 10);

test('every leaf searched and everything reordered: the exact index, bit for bit', () => {
  for (const options of [
    {},
    { soar: 1 },
    { upperTree: true },
    { correction: false },
    { groupBound: 1 },
    { rotation: balancedPca.name },
  ] as Options[]) {
    const found = make(options).call(queries, { k: 10, ...ALL });
    assert.deepEqual(found.rows, exact.rows);
    assert.deepEqual(found.scores, exact.scores);
  }
});

test('cosine and squared distance at full effort: a sort by definition', () => {
  const definition = {
    cosine: (q: Float32Array, x: Float32Array) => dot(q, x) / Math.sqrt(dot(q, q) * dot(x, x)),
    squared_l2: (q: Float32Array, x: Float32Array) => -x.reduce((sum, value, t) => sum + (q[t]! - value) ** 2, 0),
  };
  for (const [measure, score] of Object.entries(definition)) {
    const sorted = queries.map((query) =>
      rows.map((row, i) => ({ i, score: score(query, row) })).sort((a, b) => b.score - a.score),
    );
    for (const tree of ['always', 'never'] as const) {
      const index = make({ distanceMeasure: measure as 'cosine', tree });
      const found = index.call(queries, { k: 5, ...ALL });
      sorted.forEach((best, b) => {
        assert.deepEqual(
          [...found.rowsOf(b)],
          best.slice(0, 5).map(({ i }) => i),
          `${measure} ${tree}`,
        );
        found.scoresOf(b).forEach((value, i) => {
          assert.ok(Math.abs(value - best[i]!.score) < 1e-4);
        });
      });
    }
  }
});

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, t) => sum + value * b[t]!, 0);
}

test('bounds of groups widen where dimensions are uneven, so that they skip no results', () => {
  const bent = (rows: Float32Array[], shrink: number): Float32Array[] =>
    rows.map((row) => row.map((x, t) => x * shrink ** t));
  for (const shrink of [1, 0.8, 0.6]) {
    const uneven = bent(normalRows(3000, 40, 3), shrink).map((row, i) => row.map((x) => x * (1 + (i % 7))));
    const index = make({ numLeaves: 10 }).index(uneven);
    const { groupBound } = index.stats();
    assert.ok(shrink === 1 ? groupBound < 3.3 : groupBound > 4, `${shrink}: ${groupBound}`);
    const asked = bent(normalRows(40, 40, 4), shrink);
    const found = index.call(asked, { leavesToSearch: 10, reorder: 2000 });
    const share = recallOf(found, index.callExactly(asked));
    assert.ok(share > 0.985, `${shrink}: recall ${share} with a bound of ${groupBound}`);
  }
});

test('blocks that are balanced code rows of uneven dimensions better', () => {
  const uneven = normalRows(3000, 24, 3).map((row) => row.map((x, t) => x * 0.85 ** t));
  const asked = normalRows(60, 24, 4).map((row) => row.map((x, t) => x * 0.85 ** t));
  for (const distanceMeasure of ['dot_product', 'cosine', 'squared_l2'] as const) {
    const found = (['none', balancedPca.name] as const).map((rotation) => {
      const index = make({ distanceMeasure, rotation, dimensionsPerBlock: 4 }).index(uneven);
      return recallOf(index.call(asked, { leavesToSearch: 50, reorder: 12 }), index.callExactly(asked));
    });
    assert.ok(found[1]! > found[0]! + 0.02, `${distanceMeasure}: ${found}`);
  }
});

test('recall rises with leaves, with reordering, with second leaves and with a correction', () => {
  const index = make();
  const byLeaves = [1, 5, 15, 50].map((leavesToSearch) => recall(index, { leavesToSearch, reorder: N }));
  assert.deepEqual(byLeaves, [...byLeaves].sort());
  assert.ok(byLeaves[0]! < 0.7 && byLeaves[3] === 1, String(byLeaves));
  const byReorder = [10, 30, 100, 400].map((reorder) => recall(index, { leavesToSearch: 50, reorder }));
  assert.deepEqual(byReorder, [...byReorder].sort());
  assert.ok(byReorder[0]! < 0.9 && byReorder[3]! > 0.99, String(byReorder));
  const effort = { leavesToSearch: 5, reorder: 200 };
  assert.ok(recall(make({ soar: 1 }), effort) > recall(index, effort));
  const cheap = { leavesToSearch: 50, reorder: 15 };
  assert.ok(recall(index, cheap) > recall(make({ correction: false }), cheap));
});

test('one query at a time, a batch, repeated queries, one thread or two: the same bits', () => {
  const single = new Runtime({ threads: 1 });
  const batch = make({ soar: 1, upperTree: true }).call(queries, { k: 7, leavesToSearch: 6 });
  const other = make({ soar: 1, upperTree: true }, single);
  const twice = other.call([...queries, ...queries], { k: 7, leavesToSearch: 6 });
  queries.forEach((query, b) => {
    const one = other.call(query, { k: 7, leavesToSearch: 6 });
    for (const result of [one.hits(0), twice.hits(b), twice.hits(b + queries.length)]) {
      assert.deepEqual(result, batch.hits(b));
    }
  });
});

test('the same seed builds the same bytes, another one others', () => {
  const parts = (options: Options, own: Runtime) => make(options, own).parts();
  const expected = parts({ seed: 3 }, runtime);
  assert.deepEqual(parts({ seed: 3 }, new Runtime({ threads: 1 })), expected);
  assert.notDeepEqual(parts({ seed: 4 }, runtime).codes, expected.codes);
});

test('filtered, included and excluded at full effort: the exact index on the kept', () => {
  const index = make({ soar: 1 });
  const oracle = new BruteForce<ArrayLike<number>, number>({ runtime }).index(rows);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: 0, max: 40 }), (modulo, excluded) => {
      const filter = (_: number, row: number): boolean => row % modulo === 0;
      const exclude = queries.map((_, b) =>
        Array.from({ length: excluded }, (_, i) => exact.rowsOf(b)[i % 10]! + (i > 10 ? i : 0)),
      );
      for (const options of [{ filter }, { exclude }, { filter, exclude }, { include: [1, 2, 5, 700, 5] }]) {
        const found = index.call(queries, { k: 10, ...ALL, ...options });
        const wanted = oracle.call(queries, { k: 10, ...options });
        queries.forEach((_, b) => {
          assert.deepEqual(found.hits(b), wanted.hits(b));
        });
      }
    }),
    { numRuns: 12, seed: 1 },
  );
  const words = new Int32Array(Math.ceil(N / 32)).fill(0x5555_5555);
  const compiled = index.compileFilter(words);
  assert.equal(compiled.kept, N / 2);
  assert.deepEqual(
    index.call(queries, { filter: compiled, ...ALL }).rows,
    oracle.call(queries, { filter: words }).rows,
  );
  index.upsert([0], [rows[0]!]);
  assert.doesNotThrow(() => index.call(queries, { filter: words }));
});

test('a compiled filter is refused once the candidates have changed, and not before', () => {
  const changes: Record<string, (index: ReturnType<typeof make>) => void> = {
    'an upsert that fits into its group': (index) => index.upsert([0], [rows[0]!]),
    'upserts that add groups': (index) => index.upsert([...rows.keys()], rows),
    'a deletion': (index) => void index.delete([3]),
  };
  for (const tree of ['always', 'never'] as const) {
    for (const [name, change] of Object.entries(changes)) {
      const index = make({ tree });
      const filter = index.compileFilter((identifier) => identifier % 2 === 0);
      const before = index.call(queries, { filter, ...ALL }).rows;
      index.reserve(N);
      assert.deepEqual(index.call(queries, { filter, ...ALL }).rows, before, `${tree}: reserve changes no candidate`);
      change(index);
      const message = 'filter: expected one compiled for the present candidates, got one from before a change';
      assert.throws(() => index.call(queries, { filter, ...ALL }), { code: 'ERR_STATE', message }, `${tree}: ${name}`);
      filter.free();
      const again = index.compileFilter((identifier) => identifier % 2 === 0);
      assert.ok(index.call(queries, { filter: again, ...ALL }).rows.every((row) => row % 2 === 0));
    }
  }
});

test('small and odd corpora', () => {
  for (const [name, corpus] of Object.entries({
    none: [],
    'one point': [[1, 2, 3]],
    'fewer than sixteen': normalRows(9, 3, 1),
    'all equal': Array.from({ length: 60 }, () => [1, 2, 3]),
    zeros: Array.from({ length: 60 }, () => [0, 0, 0]),
    'fewer points than leaves': normalRows(30, 3, 2),
    'one dimension': normalRows(100, 1, 3),
  })) {
    for (const distanceMeasure of ['dot_product', 'cosine', 'squared_l2'] as const) {
      const width = corpus[0]?.length ?? 3;
      const index = new ScaNN({ tree: 'always', numLeaves: 50, numLeavesToSearch: 50, distanceMeasure, runtime });
      const found = index.index(corpus).call([[1, 2, 3].slice(0, width), [0, 0, 0].slice(0, width)], 20);
      assert.equal(found.counts[0], Math.min(20, corpus.length), `${name}, ${distanceMeasure}`);
      for (const score of [...found.scoresOf(0), ...found.scoresOf(1)]) assert.ok(Number.isFinite(score));
      assert.equal(new Set(found.rowsOf(0)).size, Math.min(20, corpus.length));
    }
  }
});

test('what was done otherwise than asked is said, what cannot be is refused', () => {
  const few = new ScaNN({ runtime }).index(rows);
  assert.equal(few.stats().kind, 'flat');
  assert.match(few.stats().notes[0]!, /3000 candidates are few/);
  const clamped = make({ numLeavesToSearch: 400 });
  assert.match(clamped.stats().notes[0]!, /numLeavesToSearch: 50/);
  assert.match(make({ numLeaves: 5000 }).stats().notes[0]!, /numLeaves: 3000/);
  assert.equal(clamped.isExact(), false);
  for (const options of [
    { numLeaves: 0 },
    { numLeavesToSearch: 0 },
    { trainingIterations: 0 },
    { dimensionsPerBlock: 0 },
    { k: 0 },
    { soar: -1 },
    { anisotropic: 0.5 },
    { distanceMeasure: 'euclid' as 'cosine' },
    { reorder: false, numReorderingCandidates: 10 },
    { distanceMeasure: 'squared_l2', avq: 2 },
    { seed: 0.5 },
  ] as Options[]) {
    assert.throws(() => new ScaNN(options), { code: 'ERR_OPTION' }, JSON.stringify(options));
  }
  const index = make();
  assert.throws(() => index.call(queries, { leavesToSearch: 0 }), { code: 'ERR_OPTION' });
  assert.throws(() => index.call([[Number.NaN, ...new Array(11).fill(0)]]), {
    code: 'ERR_NOT_FINITE',
    message: /row 0, column 0/,
  });
  assert.throws(() => index.call([[1, 2]]), { code: 'ERR_SHAPE' });
  assert.throws(() => index.index([[1], [Number.POSITIVE_INFINITY]]), {
    code: 'ERR_NOT_FINITE',
    message: /row 1, column 0/,
  });
  assert.equal(index.size, N);
});

test('work of fixed seeds', () => {
  const work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
  make({ groupBound: 2 }).call(flat(queries), { k: 10, leavesToSearch: 10, reorder: 50, work });
  assert.deepEqual(work, { queries: 40, centroids: 2560, leaves: 400, codes: 21_856, reorders: 2000 });
});

test('memory is asked for before the build: a full one is told at once, and the index is as before', () => {
  const full = new Runtime({ threads: 1 });
  const index = make({}, full);
  const left = 4 * 2 ** 20;
  const filling = full.heap.allocate(4 * 2 ** 30 - full.heap.memory.sizeBytes - left);
  const many = normalRows(20_000, 40, 3);
  assert.throws(() => index.index(many), { code: 'ERR_MEMORY', message: /got a need of \d+/ });
  assert.equal(index.size, N);
  assert.deepEqual(index.call(queries, { k: 10, ...ALL }).rows, exact.rows);
  filling.free();
});
