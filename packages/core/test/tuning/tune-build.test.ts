/** Tuning of builds: the chosen build can be built and has the reported recall, and the number of builds is bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Runtime } from '../../src/parallel/runtime.ts';
import { recallOf } from '../../src/topk/recall.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { paretoFront } from '../../src/tuning/pareto.ts';
import { tuneBuild } from '../../src/tuning/tune-build.ts';
import { normalRows } from '../conformance/oracle.ts';

const runtime = new Runtime({ threads: 1 });
const candidates = normalRows(1500, 10, 1);
const queries = normalRows(25, 10, 2);
const options = { tree: 'always', minLeafSize: 8, runtime } as const;

test('the chosen build, built again, has the recall and the bytes that were said', async () => {
  const report = await tuneBuild({ candidates, queries, options, targetRecall: 0.9 });
  const { chosen, front } = report;
  assert.ok(report.isTargetReached && chosen.recall >= 0.9);
  assert.equal(report.builds, 7);
  const index = new ScaNN<ArrayLike<number>, number>({ ...options, ...chosen.build }).index(candidates);
  const exact = new ScaNN<ArrayLike<number>, number>({ runtime }).index(candidates).callExactly(queries);
  assert.equal(recallOf(index.call(queries), exact), chosen.recall);
  assert.equal(index.sizeBytes, chosen.sizeBytes);
  assert.deepEqual(paretoFront(front), front);
  for (const point of front) {
    const reaches = point.recallLowerBound >= 0.9 && point.checkedRecall >= 0.9;
    assert.ok(!reaches || point.latencyMs >= chosen.latencyMs);
  }
  const kept = new Set(front.map(({ build }) => build.reorder));
  assert.ok(kept.has('int8') || kept.has('bfloat16'), 'rows kept in fewer bytes are on the front');
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test('what is given is not tried; no tree, one build', async () => {
  const target = { candidates, queries, targetRecall: 0.8, sampleSize: 20 };
  const given = { ...options, soar: 0.5, numLeaves: 50 } as const;
  const fixed = await tuneBuild({ ...target, options: given });
  assert.deepEqual(await tuneBuild({ ...target, options: given }), fixed);
  assert.equal(fixed.builds, 4);
  assert.equal(fixed.queries, 20);
  for (const { build } of fixed.front) assert.deepEqual([build.soar, build.numLeaves], [0.5, 50]);
  const squared = await tuneBuild({ ...target, options: { ...options, distanceMeasure: 'squared_l2' } });
  assert.equal(squared.builds, 6);
  const flat = await tuneBuild({ ...target, options: { runtime } });
  assert.deepEqual([flat.builds, flat.chosen.recall], [1, 1]);
});

test('a budget is kept to, by the build of most recall within it', async () => {
  const options = {
    tree: 'always',
    minLeafSize: 8,
    numLeaves: 30,
    correction: true,
    reorder: 'float32',
    runtime,
  } as const;
  const { chosen, front } = await tuneBuild({ candidates, queries, options, latencyBudgetMs: 0.004 });
  assert.ok(chosen.latencyMs <= 0.004);
  for (const point of front) assert.ok(point.latencyMs > 0.004 || point.recall <= chosen.recall);
});

test('progress counts builds, and an abort at any of them gives the memory back', async () => {
  const steps: number[] = [];
  await tuneBuild({
    candidates,
    queries,
    options,
    targetRecall: 0.5,
    sampleSize: 5,
    onProgress: ({ step, done, total }) => {
      if (step === 'build settings') steps.push(done / total);
    },
  });
  assert.deepEqual(
    steps,
    [0, 1, 2, 3, 4, 5, 6, 7].map((build) => build / 7),
  );
  for (const at of ['k-means', 'codes', 'tune']) {
    const own = new Runtime({ threads: 1 });
    const controller = new AbortController();
    const onProgress = ({ step }: { step: string }): void => {
      if (step === at) controller.abort();
    };
    const aborted = tuneBuild({
      candidates,
      queries,
      options: { ...options, runtime: own },
      targetRecall: 0.9,
      signal: controller.signal,
      onProgress,
    });
    await assert.rejects(aborted, { code: 'ERR_ABORTED' });
    assert.ok(own.heap.usedBytes < 8192, `${at}: ${own.heap.usedBytes}`);
  }
  await assert.rejects(tuneBuild({ candidates, queries, options }), { code: 'ERR_OPTION' });
  await assert.rejects(tuneBuild({ candidates: [], queries, options, targetRecall: 2 }), { code: 'ERR_OPTION' });
  for (const nothing of [{ candidates: [] }, { queries: [] }]) {
    await assert.rejects(tuneBuild({ candidates, queries, options, targetRecall: 0.9, ...nothing }), {
      code: 'ERR_OPTION',
      message: /expected at least one, got none/,
    });
  }
});
