/** Ranking metrics: known answers computed by hand, and what they must satisfy on any list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RANKING_METRICS, rankingMetrics, recallAtK } from '../../src/metrics/ranking.ts';

test('known answers', () => {
  const metrics = rankingMetrics(['x', 'a', 'b', 'y', 'c'], new Set(['a', 'b', 'c', 'd']), 4)!;
  assert.equal(metrics.recall, 2 / 4);
  assert.equal(metrics.precision, 2 / 4);
  assert.equal(metrics.hitRate, 1);
  assert.equal(metrics.reciprocalRank, 1 / 2);
  assert.equal(metrics.averagePrecision, (1 / 2 + 2 / 3) / 4);
  const best = 1 + 1 / Math.log2(3) + 1 / Math.log2(4) + 1 / Math.log2(5);
  assert.ok(Math.abs(metrics.ndcg - (1 / Math.log2(3) + 1 / Math.log2(4)) / best) < 1e-12);
});

test('a repeated identifier counts once', () => {
  const metrics = rankingMetrics([1, 1, 1], new Set([1, 2]), 3)!;
  assert.equal(metrics.recall, 1 / 2);
  assert.equal(metrics.precision, 1 / 3);
  assert.equal(metrics.averagePrecision, 1 / 2);
});

test('no hit is 0, no positives is undefined', () => {
  const none = rankingMetrics(['x'], new Set(['a']), 10)!;
  for (const name of RANKING_METRICS) assert.equal(none[name], 0);
  assert.equal(rankingMetrics(['x'], new Set<string>(), 10), undefined);
  assert.equal(recallAtK(['x'], new Set<string>(), 10), undefined);
  assert.equal(recallAtK(['a', 'x'], new Set(['a']), 1), 1);
  assert.throws(() => rankingMetrics(['x'], new Set(['x']), 0), { code: 'ERR_OPTION' });
});

test('every metric lies in [0, 1], and a perfect list reaches 1', () => {
  const list = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(list, list, fc.integer({ min: 1, max: 25 }), (ranked, positives, k) => {
      const metrics = rankingMetrics(ranked, new Set(positives), k)!;
      for (const name of RANKING_METRICS) assert.ok(metrics[name] >= 0 && metrics[name] <= 1 + 1e-12, name);
      const perfect = rankingMetrics(positives, new Set(positives), positives.length)!;
      for (const name of RANKING_METRICS) assert.ok(Math.abs(perfect[name] - 1) < 1e-12, name);
    }),
    { numRuns: 200, seed: 5 },
  );
});
