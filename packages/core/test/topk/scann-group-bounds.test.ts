/** Groups of candidates that are skipped: how many by the candidates reordered, and what that costs in recall. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Runtime } from '../../src/parallel/runtime.ts';
import { recallOf } from '../../src/topk/recall.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import type { ScannCallOptions } from '../../src/topk/scann/search/call.ts';
import { normalRows } from '../conformance/oracle.ts';

type Index = ScaNN<ArrayLike<number>, number>;

const runtime = new Runtime({ threads: 1 });
const [N, D, CENTRES, LEAVES, K] = [6_000, 64, 150, 3, 10];

/** Rows around many more centres than there are leaves, with deviations that decay from dimension to dimension. */
function mixture(rows: number, seed: number): Float32Array[] {
  const centres = normalRows(CENTRES, D, 7);
  return normalRows(rows, D, seed).map((row, i) =>
    row.map((x, t) => (1 + t) ** -0.5 * (centres[(i * 7) % CENTRES]![t]! + 0.5 * x)),
  );
}

const queries = mixture(40, 2);
const index: Index = new ScaNN<ArrayLike<number>, number>({ tree: 'always', numLeaves: LEAVES, runtime }).index(
  mixture(N, 1),
);

function measured(options: ScannCallOptions<number>, k = K): { recall: number; codes: number } {
  const work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
  const found = index.call(queries, { k, leavesToSearch: LEAVES, ...options, work });
  return { recall: recallOf(found, index.callExactly(queries, k)), codes: work.codes / queries.length };
}

test('groups are skipped by the k-th best score while 10 candidates are reordered for each result', () => {
  const usual = measured({ reorder: 100 });
  for (const reorder of [K, 40, 99]) assert.equal(measured({ reorder }).codes, usual.codes, `${reorder}`);
  const ofTwenty = measured({ reorder: 20 }, 20).codes;
  assert.equal(measured({ reorder: 200 }, 20).codes, ofTwenty);
  assert.ok(measured({ reorder: 100 }, 5).codes < usual.codes);
  assert.ok(usual.codes < 0.4 * N, `${usual.codes}`);
});

test('where more are reordered, fewer groups are skipped, and recall reaches that of no bound', () => {
  const figures = [100, 200, 400, 1_000].map((reorder) => ({
    ...measured({ reorder }),
    unbounded: measured({ reorder, groupBound: false }).recall,
  }));
  const said = JSON.stringify(figures);
  figures.slice(1).forEach(({ recall, codes }, i) => {
    assert.ok(codes > figures[i]!.codes && recall >= figures[i]!.recall, said);
  });
  // Measured: .9975, .9975 and 1; .93 each where only the k-th best score decides.
  for (const { recall, unbounded } of figures.slice(1)) assert.ok(recall > 0.985 && recall > unbounded - 0.01, said);
});

test('more leaves or more reordered candidates find no less, with any bound', () => {
  for (const groupBound of [1, 3, 6]) {
    const recalls = Array.from({ length: LEAVES }, (_, i) =>
      [100, 300, 1_000].map((reorder) => measured({ leavesToSearch: i + 1, reorder, groupBound }).recall),
    );
    const said = `${groupBound}: ${JSON.stringify(recalls)}`;
    recalls.forEach((ofLeaves, i) => {
      ofLeaves.forEach((recall, j) => {
        assert.ok(recall >= (recalls[i - 1]?.[j] ?? 0) && recall >= (ofLeaves[j - 1] ?? 0), said);
      });
    });
  }
});

test('a build that measures its recall reaches .99 with its bound', () => {
  const built = new ScaNN<ArrayLike<number>, number>({
    tree: 'always',
    numLeaves: LEAVES,
    targetRecall: 0.99,
    runtime,
  }).index(mixture(N, 1));
  const { measured: found, groupBound, settings } = built.stats();
  assert.ok(groupBound > 0 && found!.recall >= 0.99, JSON.stringify(found));
  assert.ok(settings.numReorderingCandidates > 100, `${settings.numReorderingCandidates}`);
});
