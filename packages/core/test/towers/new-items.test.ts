/** Items that no training example had are found by their features alone, upserted into the index as raw features. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learnFeatures } from '../../src/features/learn-features.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { TwoTowerModel } from '../../src/retrieval/model.ts';
import { Retrieval } from '../../src/retrieval/task.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { createTowers } from '../../src/towers/create-towers.ts';

const runtime = new Runtime({ threads: 2 });
const GENRES = ['comedy', 'drama', 'horror', 'war', 'romance', 'western'];
const USERS = 200;
const ITEMS = 800;
const CHOICES = 25;

test('recall@10 among new items is above three times that of chance', async () => {
  const generator = new Generator(3).fork('world');
  const items = Array.from({ length: ITEMS }, (_, i) => ({
    item: `item${i}`,
    genres: [GENRES[i % GENRES.length]!, ...(i % 5 === 0 ? [GENRES[generator.below(GENRES.length)]!] : [])],
    year: 1950 + generator.below(70),
  }));
  // 11 has no divisor in common with the number of genres, so that the new items are of all genres.
  const isNew = (i: number): boolean => i % 11 === 9;
  const old = items.filter((_, i) => !isNew(i));
  const fresh = items.filter((_, i) => isNew(i));
  // Every user chooses items of one genre, now and then any item.
  const chosen = Array.from({ length: USERS * CHOICES }, (_, row) => {
    const user = row % USERS;
    const genre = user % GENRES.length;
    const any = generator.below(ITEMS);
    const item = generator.uniform() < 0.1 ? any : Math.floor(any / GENRES.length) * GENRES.length + genre;
    return { user: `user${user}`, item: Math.min(ITEMS - 1, item) };
  });
  const train = chosen.filter(({ item }) => !isNew(item));
  const test = chosen.filter(({ item }) => isNew(item));
  const features = await learnFeatures(
    {
      user: { type: 'string', dimensions: 16 },
      genres: { type: 'bag', dimensions: 16 },
      year: { type: 'number', transform: 'quantiles', dimensions: 4 },
    },
    [
      { user: train.map(({ user }) => user) },
      { genres: old.map(({ genres }) => genres), year: old.map(({ year }) => year) },
    ],
  );
  const towers = createTowers({
    queryTower: { features: features.pick(['user']), normalize: true },
    candidateTower: { features: features.pick(['genres', 'year']), dense: [16], normalize: true },
    runtime,
  });
  const model = new TwoTowerModel({ ...towers, task: new Retrieval({ temperature: 0.1 }) });
  const queries = train.map(({ user }) => ({ user }));
  const candidates = train.map(({ item }) => items[item]!);
  await model.fit({ queries, candidates }, { epochs: 15, batchSize: 512 });

  const { queryTower, candidateTower } = model;
  const index = new BruteForce<{ readonly user: string }, string>({ queryModel: queryTower, runtime });
  index.index(
    candidateTower.embed(old),
    old.map(({ item }) => item),
  );
  const identifiers = fresh.map(({ item }) => item);
  index.upsert(identifiers, candidateTower.embed(fresh));
  let found = 0;
  for (const { user, item } of test) {
    const hits = index.call([{ user }], { k: 10, include: identifiers }).hits();
    if (hits.some(({ identifier }) => identifier === items[item]!.item)) found++;
  }
  const [recall, chance] = [found / test.length, 10 / fresh.length];
  // Measured .748 against .139.
  assert.ok(recall > 3 * chance, `${recall} against ${chance} of chance, ${test.length} choices`);
});
