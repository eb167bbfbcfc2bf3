/** Synthetic data: its shape, its long tails, its planted taste, and the same bytes for a seed everywhere. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { MovieLens } from '../../src/data/movielens-100k.ts';
import { syntheticMovieLens } from '../../src/data/synthetic.ts';
import { appeal, drawDistinct } from '../../src/data/synthetic-draws.ts';
import { tutorialSplit } from '../../src/data/tutorial-split.ts';
import { Generator } from '../../src/random/generator.ts';

const world = syntheticMovieLens();

/** The number of occurrences of each value, the largest first. */
function counts(values: readonly string[]): number[] {
  const found = new Map<string, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return [...found.values()].sort((a, b) => b - a);
}

/** A digest of every value of a data set. */
function sha256(world: MovieLens): string {
  const plain = (_: string, value: unknown): unknown =>
    ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value;
  return createHash('sha256').update(JSON.stringify(world, plain)).digest('hex');
}

test("MovieLens-100K's shape", () => {
  const { interactions, movies, users } = world;
  assert.equal(interactions.length, 100_000);
  assert.equal(users.length, 943);
  assert.equal(movies.length, 1_682);
  assert.ok(users.ids.includes('42'));
  const repeats = counts(movies.titles);
  assert.deepEqual([repeats.length, repeats[0], repeats.filter((count) => count === 2).length], [1_664, 2, 18]);
  assert.equal(new Set(movies.ids).size, 1_682);
  const pairs = interactions.userIds.map((user, i) => `${user} ${interactions.movieIds[i]}`);
  assert.equal(new Set(pairs).size, 100_000, 'nobody rates a movie twice');
  const titles = new Map(movies.ids.map((id, row) => [id, movies.titles[row]]));
  assert.ok(interactions.movieIds.every((id, i) => titles.get(id) === interactions.titles[i]));
  assert.deepEqual([...new Set(interactions.ratings)].sort(), [1, 2, 3, 4, 5]);
  for (const column of [...Object.values(interactions), ...Object.values(movies), ...Object.values(users)]) {
    if (typeof column === 'object') assert.ok(!Object.values(column).includes(undefined), 'every row is filled');
  }
  assert.ok(movies.titles.every((title, row) => title.endsWith(`(${movies.releaseDates[row]!.slice(-4)})`)));
});

test('activity and popularity have long tails', () => {
  const activity = counts(world.interactions.userIds);
  assert.equal(activity.length, 943);
  assert.ok(activity.at(-1)! >= 20, `the least active user has ${activity.at(-1)} ratings`);
  // Seed 42: 730, 57 and 366, 40.
  assert.ok(activity[0]! > 600 && activity[471]! < 80, `${activity[0]}, ${activity[471]}`);
  const popularity = counts(world.interactions.movieIds);
  assert.ok(popularity[0]! > 300 && popularity[841]! < 60, `${popularity[0]}, ${popularity[841]}`);
});

test('one seed gives one world, on every platform', () => {
  assert.equal(sha256(world), '678e45543d8c712520d1e26d9c74e36ed183cac4fcd80d40c7197b5a9c6cae85');
  assert.deepEqual(syntheticMovieLens({ seed: 42 }), world);
  assert.notDeepEqual(syntheticMovieLens({ seed: 43 }).users, world.users);
});

test('taste is planted: the genres of a user tell more than popularity', () => {
  const { train, test, movies } = tutorialSplit(world);
  const genresOf = new Map(movies.ids.map((id, row) => [id, movies.genres[row]!]));
  const popularity = new Map<string, number>();
  const overall = new Map<string, number>();
  const own = new Map<string, Map<string, number>>();
  const add = <K>(map: Map<K, number>, key: K): unknown => map.set(key, (map.get(key) ?? 0) + 1);
  for (let i = 0; i < train.length; i++) {
    const user = train.userIds[i]!;
    if (!own.has(user)) own.set(user, new Map());
    add(popularity, train.movieIds[i]!);
    for (const genre of genresOf.get(train.movieIds[i]!)!) {
      add(overall, genre);
      add(own.get(user)!, genre);
    }
  }
  /** The share of test rows, those of every third user, whose movie is among the user's 100 best. */
  const asked = new Set([...new Set(test.userIds)].filter((_, i) => i % 3 === 0));
  const top100 = (score: (user: string, movie: string) => number): number => {
    const best = new Map<string, Set<string>>();
    for (const user of asked) {
      const scores = movies.ids.map((movie) => ({ movie, score: score(user, movie) }));
      scores.sort((a, b) => b.score - a.score);
      best.set(user, new Set(scores.slice(0, 100).map(({ movie }) => movie)));
    }
    const rows = Array.from(test.userIds, (_, i) => i).filter((i) => asked.has(test.userIds[i]!));
    return rows.filter((i) => best.get(test.userIds[i]!)!.has(test.movieIds[i]!)).length / rows.length;
  };
  const popular = top100((_, movie) => popularity.get(movie) ?? 0);
  const personal = top100((user, movie) => {
    const genres = genresOf.get(movie)!;
    const lift = genres.map((genre) => (own.get(user)?.get(genre) ?? 0) / overall.get(genre)!);
    return (popularity.get(movie) ?? 0) * (lift.reduce((a, b) => a + b) / lift.length) ** 2;
  });
  // Seed 42: .234 and .339; 100 movies at random find .06.
  assert.ok(popular > 0.15 && personal > popular * 1.2, `${popular}, ${personal}`);
});

test('drawDistinct draws each index once, by its weight', () => {
  const generator = new Generator(1);
  const first = [0, 0, 0];
  for (let i = 0; i < 6_000; i++) {
    const drawn = drawDistinct(Float64Array.of(1, 2, 3), 3, generator);
    assert.deepEqual([...drawn].sort(), [0, 1, 2]);
    first[drawn[0]!]!++;
  }
  // 1,000, 2,000 and 3,000 expected; four standard deviations are at most 155.
  first.forEach((count, index) => {
    assert.ok(Math.abs(count - 1_000 * (index + 1)) < 155, `${first}`);
  });
  // A weight far below the generator's resolution is drawn once nothing else is left.
  assert.deepEqual([...drawDistinct(Float64Array.of(appeal(-100), 1, appeal(100)), 3, generator)], [2, 1, 0]);
});

test('appeal ascends and stays above 0', () => {
  assert.equal(appeal(0), 1);
  assert.equal(appeal(16), 65_536);
  for (let x = -20; x < 20; x++) assert.ok(appeal(x) > 0 && appeal(x + 1) >= appeal(x));
});
