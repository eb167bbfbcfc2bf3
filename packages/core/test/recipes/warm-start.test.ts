/** A fit that continues from an earlier one: kept rows, new words, and models that do not fit together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleFromBytes, bundleToBytes } from '../../src/bundle/bundle.ts';
import { OptionError } from '../../src/errors/errors.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { type FittedRecommender, fitRecommender } from '../../src/recipes/fit-recommender.ts';
import type { ChosenModel } from '../../src/recipes/trial.ts';
import type { EarlierModel } from '../../src/recipes/warm-start.ts';
import { smoothTowers } from '../../src/retrieval/graph-smoothing.ts';
import { interactionsFrom } from '../recommenders/worlds.ts';

const runtime = new Runtime({ threads: 2 });
const ALS = { model: 'als', settings: { dimensions: 3, unobservedWeight: 1, iterations: 15 } } as const;
const TOWERS = {
  model: 'two-tower',
  settings: { dimensions: 8, temperature: 0.2, unitLength: 1, epochs: 40 },
} as const;

/** Rows of users of three tastes, from user `first` to before user `last`. */
function rows(first: number, last: number): [string, string][] {
  const generator = new Generator(3);
  const all = Array.from({ length: last }, (_, user) =>
    Array.from(generator.permutation(12).subarray(0, 7), (item): [string, string] => [
      `u${user}`,
      `i${3 * item + (user % 3)}`,
    ]),
  );
  return all.slice(first).flat();
}

const yesterday = interactionsFrom([...rows(0, 60), ['u0', 'gone']]);
// Users 0 to 9 and one item have no row any more; five users and one item are new.
const today = interactionsFrom([...rows(10, 65), ['u64', 'new']]);

/** The model as its bundle has it. */
async function bundled({ index, model }: FittedRecommender): Promise<EarlierModel> {
  const candidateTower = model.kind === 'two-tower' ? model.candidateTower : undefined;
  return bundleFromBytes<string, string>(bundleToBytes({ index, candidateTower }), {
    runtime,
  }) as Promise<EarlierModel>;
}

function vectorOf({ index }: FittedRecommender, user: string): number[] {
  return [...index.queryModel!.embed([user]).row(0)];
}

for (const chosen of [ALS, TOWERS] satisfies ChosenModel[]) {
  test(`${chosen.model}: users without a row keep theirs, items stay candidates, new ones are known`, async () => {
    const first = await fitRecommender(yesterday, chosen, { runtime });
    const short = { ...chosen, settings: { ...chosen.settings, iterations: 2, epochs: 10 } };
    if (chosen.model === 'als') delete (short.settings as Partial<typeof short.settings>).epochs;
    else delete (short.settings as Partial<typeof short.settings>).iterations;
    const next = await fitRecommender(today, short, { runtime, from: await bundled(first) });
    assert.deepEqual(vectorOf(next, 'u3'), vectorOf(first, 'u3'));
    assert.notDeepEqual(vectorOf(next, 'u20'), vectorOf(first, 'u20'), 'who has rows is fitted on');
    const all = next.index.call('u64', 40).identifiers();
    assert.deepEqual([all.length, all.includes('gone'), all.includes('new')], [38, true, true]);
    // Taste is still known, of old and of new users.
    for (const user of ['u20', 'u64']) {
      const seen = rows(0, 65).flatMap(([who, item]) => (who === user ? [item] : []));
      const taste = Number(user.slice(1)) % 3;
      const found = next.index.queryWithExclusions([user], [[...seen, 'gone', 'new']], 3).identifiers();
      for (const item of found) assert.equal(Number(item.slice(1)) % 3, taste, `${user}: ${found.join(' ')}`);
    }
    // The same bits again, and from the model as it is in memory.
    const again = await fitRecommender(today, short, { runtime, from: await bundled(first) });
    assert.deepEqual(again.index.call('u20').scores, next.index.call('u20').scores);
  });
}

test('one iteration from the factors of the same rows changes little; one from random factors does', async () => {
  const whole = await fitRecommender(yesterday, ALS, { runtime });
  const one = { model: 'als', settings: { ...ALS.settings, iterations: 1 } } as const;
  const warm = await fitRecommender(yesterday, one, { runtime, from: await bundled(whole) });
  const cold = await fitRecommender(yesterday, one, { runtime });
  const difference = (other: FittedRecommender): number => {
    const [a, b] = [vectorOf(whole, 'u5'), vectorOf(other, 'u5')];
    return Math.hypot(...a.map((value, t) => value - b[t]!)) / Math.hypot(...a);
  };
  assert.ok(difference(warm) < 0.1, `${difference(warm)}`);
  assert.ok(difference(cold) > 0.3, `${difference(cold)}`);
});

test('a model of another kind or width is refused', async () => {
  const als = await bundled(await fitRecommender(yesterday, ALS, { runtime }));
  const towers = await bundled(await fitRecommender(yesterday, TOWERS, { runtime }));
  const wide = <C extends ChosenModel>(chosen: C) => ({ ...chosen, settings: { ...chosen.settings, dimensions: 16 } });
  for (const [chosen, from, expected] of [
    [ALS, towers, /from: expected a fold-in of implicit ALS, got 2 such towers/],
    [TOWERS, als, /from: expected two towers of one feature each, got a fold-in/],
    [TOWERS, {}, /got 0 such towers/],
    [wide(ALS), als, /from: expected a model of 16 dimensions, got one of 3/],
    [wide(TOWERS), towers, /from: expected towers of 16 dimensions, got 8/],
  ] as const) {
    await assert.rejects(fitRecommender(today, chosen, { runtime, from }), (error) => {
      assert.ok(error instanceof OptionError);
      assert.match(error.message, expected);
      return true;
    });
  }
});

test('a two-tower model with graphLayers has the tables of the model without, smoothed over the graph', async () => {
  const settings = { ...TOWERS.settings, epochs: 5 };
  const [plain, smoothed] = await Promise.all(
    [0, 2].map((graphLayers) =>
      fitRecommender(yesterday, { ...TOWERS, settings: { ...settings, graphLayers } }, { runtime }),
    ),
  );
  const [before, after] = [plain!.model, smoothed!.model];
  assert.ok(before.kind === 'two-tower' && after.kind === 'two-tower');
  smoothTowers(before.queryTower, before.candidateTower, yesterday, { layers: 2 });
  for (const [tower, other, words] of [
    [before.queryTower, after.queryTower, yesterday.users.vocabulary],
    [before.candidateTower, after.candidateTower, yesterday.items.vocabulary],
  ] as const) {
    const [expected, found] = [tower, other].map((each) => each.embed(words).data);
    expected!.forEach((x, t) => assert.ok(Math.abs(x - found![t]!) < 1e-6));
  }
});
