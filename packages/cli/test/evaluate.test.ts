/** shortlist evaluate: metrics with known values, baselines, and messages about missing data. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { likedRows, readInteractions } from '@shortlist/data';
import { BruteForce, fitRecommender, interactionsOf, SeenItems } from 'shortlist';
import type { JsonObject } from 'shortlist/format';
import { loadBundle, saveBundle } from 'shortlist/node';
import { temporaryFolder } from './fixtures/files.ts';
import { runCommand } from './fixtures/run-command.ts';
import { tastes } from './fixtures/tastes.ts';

const { folder, fileOf } = temporaryFolder();

const world = tastes();
const ratings = fileOf('ratings.csv', world.ratings);
const later = fileOf('later.csv', world.later);
const bundle = join(folder, 'movies.shortlist');
before(async () => {
  const read = await readInteractions(ratings);
  const chosen = { model: 'als', settings: { dimensions: 3, unobservedWeight: 1, iterations: 8 } } as const;
  const { index } = await fitRecommender(interactionsOf(likedRows(read)), chosen);
  const seenItems = SeenItems.fromInteractions(interactionsOf(read.table.select()));
  await saveBundle(bundle, { index, seenItems, metadata: { training: { data: { like: 'rating >= 4' } } } });
});

interface Judged {
  name: string;
  users: number;
  metrics: Record<string, { mean: number; low: number; high: number }>[];
  segments: { name: string; users: number; metrics: Judged['metrics'] }[];
}

async function events(...argv: string[]): Promise<JsonObject[]> {
  const { code, stdout, stderr } = await runCommand('evaluate', ...argv, '--json');
  assert.equal(code, 0, stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);
}

test('users have five unseen items of their taste, so every later like is among the first five', async () => {
  const [asked, evaluated] = await events(bundle, later, '--k', '5,1');
  assert.deepEqual([asked!.candidates, asked!.testRows, asked!.trainRows], [36, 60, 540]);
  const model = evaluated!.model as unknown as Judged;
  assert.deepEqual([model.users, model.metrics[0]!.recall], [60, { mean: 1, low: 1, high: 1 }]);
  // All 36 items are in the five of some user; lists of one item cover a fifth of them at most.
  assert.equal(model.metrics[0]!.coverage!.mean, 1);
  assert.ok(model.metrics[1]!.recall!.mean < 0.6);
  assert.deepEqual(
    model.segments.map(({ name }) => name),
    ['new users', 'heavy users'],
  );
  const baselines = evaluated!.baselines as unknown as Judged[];
  assert.deepEqual(
    baselines.map(({ name }) => name),
    ['popularity', 'item-kNN', 'EASE'],
  );
  const comparisons = evaluated!.comparisons as JsonObject[];
  assert.deepEqual([comparisons[0]!.baseline, comparisons[0]!.verdict], ['popularity', 'better']);
  assert.ok(
    Math.abs((comparisons[0]!.difference as { mean: number }).mean - 1 + baselines[0]!.metrics[0]!.recall!.mean) <
      1e-12,
  );
});

test('the text output has tables, groups of users, and a sentence for each baseline', async () => {
  const { code, stdout, stderr } = await runCommand('evaluate', bundle, later, '--train', ratings, '--k', '5');
  assert.equal(code, 0, stderr);
  // The condition is that of the training: 420 of its 540 rows are likes.
  assert.match(
    stdout,
    /Test part: 60 rows\. Training part: 420 rows \(.*ratings\.csv\), whose items are left out .*\n60 users\n/,
  );
  assert.match(stdout, /^movies\.shortlist +1\.0000 \(1\.0000 to 1\.0000\) /m);
  assert.match(
    stdout,
    /^recall@5 +users +popularity +item-kNN +EASE +movies\.shortlist\nnew users \(at most 7 training items\) +60 /m,
  );
  assert.match(stdout, /^movies\.shortlist is better than popularity: recall@5 \+0\.\d{4} \(0\.\d{4} to 0\.\d{4}\)$/m);
});

test('a user whom implicit ALS does not know is evaluated by the history', async () => {
  const renamed = (text: string): string => text.replaceAll(/^u/gm, 'somebody');
  const [, evaluated] = await events(
    ...[bundle, fileOf('others-later.csv', renamed(world.later))],
    ...['--train', fileOf('others.csv', renamed(world.ratings)), '--k', '5'],
  );
  assert.equal((evaluated!.model as unknown as Judged).metrics[0]!.recall!.mean, 1);
});

test('without a training part nothing is left out and there are no baselines, which is reported', async () => {
  const { index, foldIn } = await loadBundle<string, string>(bundle);
  const path = join(folder, 'bare.shortlist');
  await saveBundle(path, { index, foldIn });
  const { code, stdout } = await runCommand('evaluate', path, later);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /The bundle has no seen items, so nothing is left out of the lists and there are no baselines; --train/,
  );
  assert.doesNotMatch(stdout, /NaN|Infinity|popularity/);
});

test('errors are one line', async () => {
  const vectors = join(folder, 'vectors.shortlist');
  await saveBundle(vectors, { index: new BruteForce<never, string>().index([[1, 2]], ['a']) });
  for (const [argv, code, expected] of [
    [[], 2, /expected a bundle and a file of interactions/],
    [[bundle], 2, /expected a bundle and a file of interactions/],
    [[bundle, later, '--k', '5,x'], 2, /--k: expected a number/],
    [[bundle, later, '--trian', ratings], 2, /unknown option --trian; did you mean --train\?/],
    [
      [bundle, ratings],
      1,
      /expected rows that are not in the training part, got none: all 420 are in the seen items in the bundle/,
    ],
    [[vectors, later], 1, /expected a bundle that takes users, got one of vectors/],
    [[later, later], 1, /later\.csv.*ERR_FORMAT/],
    [[bundle, later, '--like', 'stars > 3'], 1, /stars/],
  ] as const) {
    const found = await runCommand('evaluate', ...argv);
    assert.equal(found.code, code, found.stderr);
    assert.match(found.stderr, expected);
  }
});
