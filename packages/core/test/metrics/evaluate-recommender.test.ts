/** Evaluation of recommenders: lists whose figures are known, intervals that cover, and pairs of models. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InteractionSplit } from '../../src/data/split.ts';
import { bootstrapDifference, bootstrapMean } from '../../src/metrics/bootstrap.ts';
import { compareEvaluations, evaluateRecommender } from '../../src/metrics/evaluate-recommender.ts';
import { newAndHeavyUsers } from '../../src/metrics/segments.ts';
import { Generator } from '../../src/random/generator.ts';
import type { Recommender } from '../../src/recommenders/contract.ts';
import { Popularity } from '../../src/recommenders/popularity.ts';
import { interactionsFrom } from '../recommenders/worlds.ts';

/** Items a … e: a is in every training list but one, so that popularity says a b c d e. */
function world(): InteractionSplit {
  const train: [string, string][] = [
    ['u', 'a'],
    ['u', 'b'],
    ['v', 'a'],
    ['w', 'a'],
    ['w', 'b'],
    ['w', 'c'],
    ['x', 'd'],
    ['y', 'a'],
    ['y', 'e'],
    ['y', 'b'],
    ['y', 'c'],
    ['z', 'd'],
  ];
  const test: [string, string][] = [
    ['u', 'd'],
    ['v', 'b'],
    ['v', 'c'],
    ['w', 'a'],
    ['x', 'f'],
  ];
  const all = interactionsFrom([...train, ...test]);
  const cut = (from: number, to: number) => ({
    length: to - from,
    users: { ...all.users, codes: all.users.codes.subarray(from, to) },
    items: { ...all.items, codes: all.items.codes.subarray(from, to) },
  });
  return { train: cut(0, train.length), test: cut(train.length, train.length + test.length) };
}

test('figures of popularity, worked out by hand', () => {
  const split = world();
  const found = evaluateRecommender(new Popularity(split.train), split, { ks: [2] });
  const [at2] = found.metrics;
  // Asked: u (d: list c d), v (b, c: list b c), x (f: list a b); w has a already.
  assert.deepEqual([found.users, found.skipped], [3, 1]);
  assert.equal(at2!.recall.mean, (1 + 1 + 0) / 3);
  assert.equal(at2!.reciprocalRank.mean, (1 / 2 + 1 + 0) / 3);
  assert.ok(Math.abs(at2!.ndcg.mean - (1 / Math.log2(3) + 1 + 0) / 3) < 1e-12);
  // a b c d of the five items that were chosen; the most popular fifth is a.
  assert.equal(at2!.coverage.mean, 4 / 5);
  assert.equal(at2!.longTailShare.mean, (1 + 1 + 1 / 2) / 3);
  assert.deepEqual([...found.perUser[0]!.recall], [1, 1, 0]);
  assert.ok(at2!.recall.low <= at2!.recall.mean && at2!.recall.mean <= at2!.recall.high);
});

test('one seed, one interval; nobody asked, no figures', () => {
  const split = world();
  const popularity = new Popularity(split.train);
  assert.deepEqual(evaluateRecommender(popularity, split), evaluateRecommender(popularity, split));
  const empty = evaluateRecommender(popularity, {
    train: split.train,
    test: {
      ...split.test,
      length: 0,
      users: { ...split.test.users, codes: new Int32Array(0) },
      items: { ...split.test.items, codes: new Int32Array(0) },
    },
  });
  assert.deepEqual([empty.users, empty.metrics, empty.segments], [0, [], []]);
  assert.throws(() => evaluateRecommender(popularity, split, { ks: [] }), { code: 'ERR_OPTION' });
  assert.throws(() => evaluateRecommender(popularity, split, { ks: [0] }), { code: 'ERR_OPTION' });
});

test('an interval of 95 % covers the true mean in about 95 % of samples', () => {
  const generator = new Generator(1);
  let covered = 0;
  for (let sample = 0; sample < 200; sample++) {
    const values = Float64Array.from({ length: 100 }, () => (generator.uniform() < 0.3 ? 1 : 0));
    const { low, high } = bootstrapMean(values, { resamples: 200, seed: sample });
    if (low <= 0.3 && 0.3 <= high) covered++;
  }
  // 187 when this was written.
  assert.ok(covered >= 180 && covered <= 198, `${covered} of 200`);
});

test('the difference of two models on the same users is known better than each', () => {
  const generator = new Generator(2);
  const a = Float64Array.from({ length: 500 }, () => generator.uniform());
  const b = a.map((value) => value - 0.01);
  const { mean, low, high } = bootstrapDifference(a, b);
  assert.ok(Math.abs(mean - 0.01) < 1e-12 && low > 0.0099 && high < 0.0101);
  const split = world();
  const evaluated = evaluateRecommender(new Popularity(split.train), split, { ks: [2] });
  const nothing: Recommender = { name: 'nothing', recommend: (users) => Array.from(users, () => new Int32Array(0)) };
  const worse = evaluateRecommender(nothing, split, { ks: [2] });
  assert.equal(compareEvaluations(evaluated, worse).mean, 2 / 3);
  assert.equal(worse.metrics[0]!.coverage.mean, 0);
});

test('new and heavy users are the fifths with the shortest and the longest histories', () => {
  const [few, many] = newAndHeavyUsers(Int32Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8, 10, 0));
  assert.deepEqual([0, 1, 2, 3].map(few!.has), [true, true, true, false]);
  assert.deepEqual([7, 8, 9].map(many!.has), [false, true, true]);
  const [same, none] = newAndHeavyUsers(Int32Array.of(3, 3, 3));
  assert.ok(same!.has(3) && !none!.has(3), 'nobody is both');
});
