/** Tuning: it reaches what it is asked for at the least counted work, and its front holds nothing that is bettered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Runtime } from '../../src/parallel/runtime.ts';
import { recallOf } from '../../src/topk/recall.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { autopilot } from '../../src/tuning/autopilot.ts';
import { paretoFront } from '../../src/tuning/pareto.ts';
import { tune } from '../../src/tuning/tune.ts';
import { normalRows } from '../conformance/oracle.ts';

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
    assert.ok(point.recall < 0.9 || point.latencyMs >= report.chosen.latencyMs);
  }
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  assert.deepEqual(await tune(index, { queries, targetRecall: 0.9 }), report);
  assert.equal(steps.at(-1), steps.length === 0 ? undefined : Math.max(...steps));
});

test('where bounds of groups cap the recall whole leaves are searched', async () => {
  const uneven = (rows: Float32Array[]): Float32Array[] => rows.map((row) => row.map((x, t) => x * 0.7 ** t));
  const rows = uneven(normalRows(3000, 60, 3)).map((row, i) => row.map((x) => x * (1 + (i % 7))));
  const asked = uneven(normalRows(50, 60, 4));
  const wide = new ScaNN<ArrayLike<number>, number>({ tree: 'always', numLeaves: 4, groupBound: 1, runtime }).index(
    rows,
  );
  const most = wide.call(asked, { leavesToSearch: 4, reorder: 640, groupBound: 1.5 });
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
  });
  assert.equal(autopilot(1, 1).numLeaves, 2);
  assert.equal(autopilot(100_000, 2000).dimensionsPerBlock, 4);
  assert.deepEqual(
    [64, 128, 256, 300].map((d) => autopilot(1000, d).rotation),
    ['none', 'balanced-pca', 'balanced-pca', 'none'],
  );
  assert.throws(() => autopilot(0, 3), { code: 'ERR_OPTION' });
});
