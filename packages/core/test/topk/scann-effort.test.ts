/**
 * Calls for more results than the settings are for: leaves and reordering grow by the rule, unless the call sets them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { recallOf } from '../../src/topk/recall.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { tune } from '../../src/tuning/tune.ts';
import { normalRows } from '../conformance/oracle.ts';

const runtime = new Runtime({ threads: 2 });
type Index = ScaNN<ArrayLike<number>, number>;
const D = 16;
const centres = normalRows(200, D, 9);
const clustered = (n: number, seed: number): Float32Array[] =>
  normalRows(n, D, seed).map((row, i) => row.map((x, t) => centres[(i * 7) % 200]![t]! + 0.7 * x));
const rows = clustered(8_000, 1);
const queries = clustered(60, 2);
const build = (options: ScannOptions<ArrayLike<number>> = {}): Index =>
  new ScaNN<ArrayLike<number>, number>({ tree: 'always', numLeaves: 100, runtime, ...options }).index(rows);

test('recall@100 and @1000 of an index tuned for recall@10', async () => {
  const first = build();
  const { chosen } = await tune(first, { queries: clustered(300, 5), targetRecall: 0.95, k: 10 });
  const settings = { leavesToSearch: chosen.leavesToSearch, reorder: chosen.reorder, groupBound: chosen.groupBound };
  const index = build({
    numLeavesToSearch: chosen.leavesToSearch,
    numReorderingCandidates: chosen.reorder,
    groupBound: chosen.groupBound === 0 ? false : chosen.groupBound,
    tunedK: 10,
    k: 100,
  });
  const figures = [10, 100, 1000].map((k) => {
    const truth = index.callExactly(queries, k);
    return [recallOf(index.call(queries, k), truth), recallOf(first.call(queries, { k, ...settings }), truth)] as const;
  });
  const said = JSON.stringify(figures);
  assert.equal(figures[0]![0], figures[0]![1], said);
  // Measured: .990 and .994 with the rule, .829 and .520 without.
  assert.ok(figures[1]![0] > 0.97, said);
  assert.ok(figures[2]![0] > 0.97, said);
});

test('a call that names leaves or candidates has as many; the other one grows', () => {
  const index = build({ numLeavesToSearch: 4, numReorderingCandidates: 100, groupBound: false });
  const workOf = (options: object): number[] => {
    const work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
    index.call(queries, { work, ...options });
    return [work.leaves / 60, work.reorders / 60];
  };
  assert.deepEqual(workOf({ k: 10 }), [4, 100]);
  assert.deepEqual(workOf({ k: 90 }), [12, 723]);
  assert.equal(workOf({ k: 90, leavesToSearch: 6 })[0], 6);
  assert.deepEqual(workOf({ k: 90, reorder: 90 }), [12, 90]);
});

test('the k that settings are for is saved with them, and only where it is said', async () => {
  const bytes = bundleToBytes({ index: build({ k: 50, tunedK: 10 }) } as never);
  const { index } = await bundleFromBytes(bytes, { runtime });
  assert.equal((index as unknown as Index).settings.tunedK, 10);
  assert.ok(!('tunedK' in build().settings));
  assert.throws(() => build({ tunedK: 0 }), /tunedK: expected an integer/);
});

test('the effort of a call is told, and a query that is asked again is counted once', () => {
  const index = build({ numLeavesToSearch: 10, numReorderingCandidates: 100, tunedK: 10 });
  assert.deepEqual(index.effort(), { leavesToSearch: 10, reorder: 100 });
  assert.deepEqual(index.effort(5), index.effort(10));
  const { leavesToSearch, reorder } = index.effort(1000);
  const told = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
  index.call(queries, { k: 1000, work: told });
  const named = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
  index.call(queries, { k: 1000, leavesToSearch, reorder, work: named });
  assert.deepEqual(told, named);
  assert.deepEqual(build({ tree: 'never' }).effort(1000), { leavesToSearch: 0, reorder: 0 });
  // One leaf has fewer than the results asked for, so that every query is asked again of all candidates that are kept.
  const work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
  const filter = (id: number): boolean => id % 4 === 0;
  const found = index.call(queries, { k: 400, leavesToSearch: 1, reorder: 400, filter, work });
  assert.deepEqual(
    [...found.counts],
    queries.map(() => 400),
  );
  assert.ok(work.reorders >= queries.length * 2000, `${work.reorders}`);
  assert.equal(work.queries, queries.length);
});
