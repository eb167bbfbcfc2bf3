/** Baselines on data whose answer is known, and against the formulas written out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Interactions } from '../../src/data/interactions.ts';
import { itemsByUser, listOf } from '../../src/data/items-by-user.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { baselineFits, baselines } from '../../src/recommenders/baselines.ts';
import { BestItems } from '../../src/recommenders/best-items.ts';
import type { Recommender } from '../../src/recommenders/contract.ts';
import { Ease } from '../../src/recommenders/ease.ts';
import { ItemKnn } from '../../src/recommenders/item-knn.ts';
import { Popularity } from '../../src/recommenders/popularity.ts';
import { checkerboard, interactionsFrom } from './worlds.ts';

const runtime = new Runtime({ threads: 2 });

/** The words of a user's recommendations. */
function words(recommender: Recommender, interactions: Interactions, user: string, k: number): string[] {
  const code = interactions.users.vocabulary.indexOf(user);
  const [found] = recommender.recommend(Int32Array.of(code), itemsByUser(interactions), k);
  return Array.from(found!, (item) => interactions.items.vocabulary[item]!);
}

/** Random choices with a taste: `users` × 8 rows. */
function random(users: number, items: number): Interactions {
  const generator = new Generator(11);
  const pairs = Array.from({ length: users * 8 }, (_, row): [string, string] => {
    const group = row % 3;
    return [`u${row % users}`, `i${(3 * generator.below(Math.floor(items / 3)) + group) % items}`];
  });
  return interactionsFrom(pairs);
}

test('the best of scores: ties to the lower code, what is left out stays out', () => {
  const best = new BestItems(5, 3);
  assert.deepEqual([...best.select([1, 3, 3, 2, 9], Int32Array.of(4))], [1, 2, 3]);
  assert.deepEqual([...best.select([1, 3, 3, 2, 9], Int32Array.of(), Int32Array.of(0, 3))], [3, 0]);
  assert.deepEqual([...best.select([0, 0, 0, 0, 0], Int32Array.of(0, 1, 2))], [3, 4], 'fewer where fewer exist');
});

test('popularity counts, and recent popularity forgets', () => {
  const rows = interactionsFrom(
    [
      ['u', 'old'],
      ['v', 'old'],
      ['w', 'old'],
      ['v', 'new'],
      ['w', 'new'],
      ['x', 'x'],
    ],
    [0, 0, 0, 10, 10, 10],
  );
  assert.deepEqual(words(new Popularity(rows), rows, 'x', 2), ['old', 'new']);
  assert.deepEqual(words(new Popularity(rows, { halfLife: 5 }), rows, 'x', 2), ['new', 'old']);
  assert.deepEqual([...new Popularity(rows, { halfLife: 5 }).scores], [0.75, 2, 1]);
  assert.deepEqual(words(new Popularity(rows), rows, 'v', 5), ['x'], 'what was chosen is left out');
  assert.throws(() => Popularity.recent(interactionsFrom([['u', 'a']])), { code: 'ERR_STATE' });
  assert.throws(() => new Popularity(rows, { halfLife: 0 }), { code: 'ERR_OPTION' });
});

test('models of taste find the missing square of a checkerboard', () => {
  const board = checkerboard(20);
  const models = [new ItemKnn(board, { neighbors: 12, shrink: 0 }), new Ease(board, { regularization: 1, runtime })];
  for (const model of models) {
    for (const user of [0, 7, 19]) assert.deepEqual(words(model, board, `u${user}`, 1), [`i${user}`], model.name);
  }
});

test('item-kNN is its formula, and the most popular fill a list that has no neighbours', () => {
  const rows = interactionsFrom([
    ['u', 'a'],
    ['v', 'a'],
    ['v', 'b'],
    ['w', 'a'],
    ['w', 'b'],
    ['w', 'c'],
    ['x', 'd'],
    ['y', 'd'],
    ['z', 'd'],
  ]);
  const { neighborsOf } = new ItemKnn(rows, { neighbors: 1, shrink: 2 });
  // The nearest of b is a, of a it is b, of c it is b (1 / (√2 + 2) above 1 / (√3 + 2)); d has none.
  assert.deepEqual([...listOf(neighborsOf, 0)], [1]);
  assert.deepEqual([...listOf(neighborsOf, 1)], [0, 2]);
  assert.equal(neighborsOf.weights![0], Math.fround(2 / (Math.sqrt(6) + 2)));
  assert.deepEqual(words(new ItemKnn(rows), rows, 'x', 3), ['a', 'b', 'c'], 'by popularity');
  assert.deepEqual(words(new ItemKnn(rows), rows, 'u', 3), ['b', 'c', 'd'], 'neighbours first');
});

test('EASE from users × users and from items × items is the formula', () => {
  for (const [users, items] of [
    [90, 70],
    [70, 90],
  ] as const) {
    const rows = random(users, items);
    const lambda = 5;
    const lists = itemsByUser(rows);
    const n = rows.items.vocabulary.length;
    const p = inverse(n, (i, j) => {
      let both = i === j ? lambda : 0;
      for (let u = 0; u < users; u++) {
        const list = listOf(lists, u);
        if (list.includes(i) && list.includes(j)) both++;
      }
      return both;
    });
    const everybody = Int32Array.from({ length: users }, (_, u) => u);
    const found = new Ease(rows, { regularization: lambda, runtime }).recommend(everybody, lists, 5);
    const best = new BestItems(n, 5);
    let same = 0;
    for (const user of everybody) {
      const history = listOf(lists, user);
      const scores = Float64Array.from(
        { length: n },
        (_, j) => -history.reduce((sum, i) => sum + p[i]![j]!, 0) / p[j]![j]!,
      );
      const wanted = best.select(scores, history);
      same += [...wanted].filter((item) => found[user]!.includes(item)).length;
    }
    // Equal scores are parted by rounding.
    assert.ok(same >= 0.99 * 5 * users, `${users} × ${items}: ${same} of ${5 * users}`);
  }
});

test('EASE refuses more items than it can hold', () => {
  const vocabulary = Array.from({ length: 10_001 }, (_, i) => `${i}`);
  const rows = interactionsFrom([['u', 'a']]);
  assert.throws(() => new Ease({ ...rows, items: { codes: Int32Array.of(0), vocabulary } }), {
    code: 'ERR_OPTION',
    message: 'items: expected at most 10000 for EASE, got 10001',
  });
});

/** Gauss and Jordan in float64. */
function inverse(n: number, entry: (i: number, j: number) => number): number[][] {
  const rows = Array.from({ length: n }, (_, i) =>
    Array.from({ length: 2 * n }, (_, j) => (j < n ? entry(i, j) : j - n === i ? 1 : 0)),
  );
  for (let k = 0; k < n; k++) {
    const pivot = rows[k]![k]!;
    rows[k] = rows[k]!.map((value) => value / pivot);
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]![k]!;
      rows[i] = rows[i]!.map((value, j) => value - factor * rows[k]![j]!);
    }
  }
  return rows.map((row) => row.slice(n));
}

test('baselines are named before they are fitted; times and few items decide which there are', () => {
  const timed = interactionsFrom([['u', 'a']], [1]);
  const names = baselineFits(timed, runtime).map(({ name }) => name);
  assert.deepEqual(names, ['popularity', 'recent popularity', 'item-kNN', 'EASE']);
  assert.deepEqual(
    baselines(timed, runtime).map(({ name }) => name),
    names,
  );
  const many = Array.from({ length: 10_001 }, (_, item): [string, string] => ['u', `i${item}`]);
  assert.deepEqual(
    baselineFits(interactionsFrom(many), runtime).map(({ name }) => name),
    ['popularity', 'item-kNN'],
  );
});
