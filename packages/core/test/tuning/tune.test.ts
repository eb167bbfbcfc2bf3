/**
 * Tuning: it reaches the target with the least counted work, and no point of its front is worse than another in both
 * respects.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Runtime } from '../../src/parallel/runtime.ts';
import { recallOf } from '../../src/topk/recall.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { Tower } from '../../src/towers/tower.ts';
import { autopilot } from '../../src/tuning/autopilot.ts';
import { modelledLatencyMs } from '../../src/tuning/modelled-latency.ts';
import { paretoFront } from '../../src/tuning/pareto.ts';
import { tune } from '../../src/tuning/tune.ts';
import { normalRows } from '../conformance/oracle.ts';
import { isThorough } from '../thorough.ts';

const runtime = new Runtime({ threads: 2 });
const queries = normalRows(60, 10, 2);
const index = new ScaNN<ArrayLike<number>, number>({ tree: 'always', numLeaves: 40, runtime }).index(
  normalRows(4000, 10, 1),
);

test('a target recall is reached by the cheapest setting tried, and the report is JSON', async () => {
  const steps: number[] = [];
  const report = await tune(index, { queries, targetRecall: 0.9, onProgress: ({ done }) => steps.push(done) });
  assert.ok(report.isTargetReached && report.chosen.recall >= 0.9);
  const { leavesToSearch, reorder, groupBound } = report.chosen;
  const truth = index.call(queries, { exact: true });
  assert.equal(recallOf(index.call(queries, { leavesToSearch, reorder, groupBound }), truth), report.chosen.recall);
  for (const point of report.front) {
    const reaches = point.recallLowerBound >= 0.9 && point.checkedRecall >= 0.9;
    assert.ok(!reaches || point.latencyMs >= report.chosen.latencyMs);
  }
  assert.ok(report.chosen.recallLowerBound >= 0.9 && report.chosen.checkedRecall >= 0.9);
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  assert.deepEqual(await tune(index, { queries, targetRecall: 0.9 }), report);
  assert.equal(steps.at(-1), steps.length === 0 ? undefined : Math.max(...steps));
});

test('where bounds of groups cap the recall whole leaves are searched', async () => {
  const uneven = (rows: Float32Array[]): Float32Array[] => rows.map((row) => row.map((x, t) => x * 0.7 ** t));
  const rows = uneven(normalRows(6000, 60, 3)).map((row, i) => row.map((x) => x * (1 + (i % 7))));
  const asked = uneven(normalRows(50, 60, 4));
  const wide = new ScaNN<ArrayLike<number>, number>({ tree: 'always', numLeaves: 4, groupBound: 0.1, runtime }).index(
    rows,
  );
  const most = wide.call(asked, { leavesToSearch: 4, reorder: 640, groupBound: 0.15 });
  assert.ok(recallOf(most, wide.callExactly(asked)) < 0.98);
  const { chosen, isTargetReached } = await tune(wide, { queries: asked, targetRecall: 0.99 });
  assert.ok(isTargetReached && chosen.groupBound === 0);
});

test('a budget gives the best recall within it; more budget, no less recall', async () => {
  const [small, large] = [
    await tune(index, { queries, latencyBudgetMs: 0.004 }),
    await tune(index, { queries, latencyBudgetMs: 0.05 }),
  ];
  assert.ok(small.chosen.latencyMs <= 0.004 && large.chosen.latencyMs <= 0.05);
  assert.ok(large.chosen.recall >= small.chosen.recall);
});

test('a recall that is reached on the sample is reached on fresh queries', async () => {
  const fresh = normalRows(2000, 10, 77);
  const truth = index.callExactly(fresh);
  const missed: string[] = [];
  const targets = [
    [11, 0.8],
    [12, 0.9],
    [13, 0.95],
    [14, 0.97],
    [15, 0.99],
    [16, 0.95],
    [17, 0.9],
    [18, 0.95],
  ] as const;
  for (const [seed, targetRecall] of isThorough ? targets : targets.slice(1, 5)) {
    const { chosen, isTargetReached } = await tune(index, { queries: normalRows(300, 10, seed), targetRecall });
    const { leavesToSearch, reorder, groupBound } = chosen;
    const recall = recallOf(index.call(fresh, { leavesToSearch, reorder, groupBound }), truth);
    assert.ok(isTargetReached);
    if (recall < targetRecall) missed.push(`${targetRecall}: ${recall}`);
    // Nor far more than was asked for: the margin is that of 150 queries.
    assert.ok(recall < targetRecall + 0.06, `${targetRecall}: ${recall}`);
  }
  assert.deepEqual(missed, []);
});

test('no queries and no candidates are refused: nothing can be said of them', async () => {
  await assert.rejects(tune(index, { queries: [], targetRecall: 0.9 }), {
    code: 'ERR_OPTION',
    message: 'queries: expected at least one, got none',
  });
  const emptied = new ScaNN<ArrayLike<number>, number>({ runtime }).index(normalRows(30, 10, 1));
  emptied.delete(Array.from({ length: 30 }, (_, i) => i));
  for (const goal of [{ targetRecall: 0.9 }, { latencyBudgetMs: 1 }]) {
    await assert.rejects(tune(emptied, { queries, ...goal }), { code: 'ERR_STATE' });
  }
  await assert.rejects(tune(new ScaNN({ runtime }), { queries, targetRecall: 0.9 }), { code: 'ERR_STATE' });
});

test('raw queries are taken where the index has a query model, and embeddings as a matrix', async () => {
  const words = Array.from({ length: 80 }, (_, i) => `word ${i}`);
  const queryModel = Tower.create({ vocabulary: words, dimensions: 10, runtime });
  const asked = new ScaNN<string, number>({ tree: 'always', numLeaves: 40, queryModel, runtime }).index(
    normalRows(2000, 10, 1),
  );
  const byWords = await tune(asked, { queries: words, targetRecall: 0.9 });
  const embedded = queryModel.embed(words);
  assert.deepEqual(await tune(asked, { queries: embedded, targetRecall: 0.9 }), byWords);
  const flat = { data: embedded.data.slice(), dimensions: 10 };
  assert.deepEqual(await tune(asked, { queries: flat, targetRecall: 0.9 }), byWords);
  assert.equal((await tune(asked, { queries: words, targetRecall: 0.9, sampleSize: 20 })).queries, 20);
  await assert.rejects(tune(index as never, { queries: words as never, targetRecall: 0.9 }), { code: 'ERR_OPTION' });
});

test('the k that is tuned for is the one that calls ask for', async () => {
  const many = await tune(index, { queries, targetRecall: 0.9, k: 100 });
  assert.equal(many.k, 100);
  const { leavesToSearch, reorder, groupBound } = many.chosen;
  const call = { k: 100, leavesToSearch, reorder, groupBound };
  assert.equal(recallOf(index.call(queries, call), index.callExactly(queries, 100)), many.chosen.recall);
  const few = await tune(index, { queries, targetRecall: 0.9, k: 1 });
  assert.ok(few.chosen.reorders < many.chosen.reorders && few.chosen.latencyMs < many.chosen.latencyMs);
});

test('without a clock a candidate reordered costs more the wider it is', () => {
  const work = { queries: 1, centroids: 200, leaves: 10, codes: 2000, reorders: 0 };
  const reordered = (dimensions: number): number => {
    const shape = { dimensions, blocks: dimensions / 2, isRotated: false };
    return 1e6 * (modelledLatencyMs({ ...work, reorders: 100 }, shape) - modelledLatencyMs(work, shape));
  };
  // Measured a candidate, on a loaded core: 47, 84, 176 and 444 ns at 32, 128, 300 and 768 dimensions.
  for (const [dimensions, ns] of [
    [32, 47],
    [128, 84],
    [300, 176],
    [768, 444],
  ] as const) {
    const modelled = reordered(dimensions) / 100;
    assert.ok(modelled > 0.7 * ns && modelled < 1.4 * ns, `${dimensions}: ${modelled}`);
  }
});

test('a clock is used where one is given', async () => {
  let now = 0;
  const report = await tune(index, { queries, targetRecall: 0.5, clock: () => (now += 2), sampleSize: 5 });
  assert.ok(report.front.every((point) => point.latencyMs === 2) && report.queries === 5);
});

test('bad options and an abort', async () => {
  await assert.rejects(tune(index, { queries }), { code: 'ERR_OPTION' });
  await assert.rejects(tune(index, { queries, targetRecall: 1.5 }), { code: 'ERR_OPTION' });
  await assert.rejects(tune(index, { queries, targetRecall: 0.9, signal: AbortSignal.abort() }), {
    code: 'ERR_ABORTED',
  });
});

test('Pareto front: nothing in it is bettered, everything outside is', () => {
  const point = fc.record({
    recall: fc.integer({ max: 5, min: 0 }),
    latencyMs: fc.integer({ max: 5, min: 0 }),
    sizeBytes: fc.integer({ max: 2, min: 0 }),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 30 }), (points) => {
      const front = paretoFront(points);
      const asGood = (a: (typeof points)[0], b: (typeof points)[0]): boolean =>
        a.recall >= b.recall && a.latencyMs <= b.latencyMs && a.sizeBytes <= b.sizeBytes;
      for (const p of points) assert.ok(front.some((f) => asGood(f, p)));
      for (const f of front) assert.equal(front.filter((other) => asGood(other, f)).length, 1);
    }),
    { seed: 5 },
  );
});

test('autopilot: from one row to many millions', () => {
  assert.deepEqual(autopilot(1_683_682, 32), {
    numLeaves: 1946,
    numLeavesToSearch: 30,
    numReorderingCandidates: 100,
    dimensionsPerBlock: 2,
    rotation: 'none',
    trainingSampleSize: 194_600,
    targetRecall: 0.95,
    tunedK: 10,
  });
  assert.equal(autopilot(1, 1).numLeaves, 2);
  assert.equal(autopilot(100_000, 2000).dimensionsPerBlock, 4);
  assert.deepEqual(
    [64, 128, 256, 300].map((d) => autopilot(1000, d).rotation),
    ['none', 'balanced-pca', 'balanced-pca', 'none'],
  );
  assert.throws(() => autopilot(0, 3), { code: 'ERR_OPTION' });
});
