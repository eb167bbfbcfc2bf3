/** shortlist train into a folder of versions: the next one whole or not at all, what is worse is refused, and --from. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadBundle } from 'shortlist/node';
import { Generator } from 'shortlist/random';
import { newestVersion, publishVersion } from '../src/input/versions.ts';
import { temporaryFolder } from './fixtures/files.ts';
import { type Said, said } from './fixtures/said.ts';
import { tastes } from './fixtures/tastes.ts';

const { folder, fileOf } = temporaryFolder();

const world = tastes();
const ratings = fileOf('ratings.csv', world.ratings);
/** The next day: one more like of everybody, and a user and a film that nobody knew. */
const likes = world.later.split('\n').slice(1).join('\n');
const news = [...world.later.matchAll(/^u[036],(\d+)/gm)].map(
  ([, film], i) => `new user,${film},5,${1_600_000_100 + i}`,
);
const tomorrow = fileOf('tomorrow.csv', `${world.ratings}${likes}${news.join('\n')}\nu1,new film,5,1600000200\n`);

const train = (...argv: string[]): Promise<Said> => said('train', '--budget', '1m', '--k', '5', ...argv);

test('a folder gets version after version; what is worse than the newest is refused, unless --force', async () => {
  const out = join(folder, 'movies');
  const first = await train(ratings, '--model', 'als', '--out', out, '--budget', '3s');
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /movies\/1\/model\.shortlist: /);
  assert.match(first.stdout, /^Serve it: shortlist serve .*\/movies$/m);
  // Likes of anything: nothing can be learned from them.
  const generator = new Generator(5);
  const noise = world.ratings.replaceAll(/,1\d\d,/g, () => `,${100 + generator.below(36)},`);
  const noisy = fileOf('noise.csv', noise);
  const refused = await train(noisy, '--model', 'als', '--out', out, '--budget', '3s');
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /not published: recall@5 0\.\d{4} \(.*\) is below the [01]\.\d{4} \(.*\) of version 1 of .*movies by more than the interval of 0\.\d{4}; --force publishes it, from the trials in .*movies\.trials \(ERR_DATA\)/,
  );
  assert.deepEqual(readdirSync(out), ['1']);
  const forced = await train(noisy, '--model', 'als', '--out', out, '--budget', '3s', '--force');
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stderr, /Goes on from the \d+ trials of an interrupted run/);
  assert.match(forced.stdout, /by more than the interval of .*; published all the same \(--force\)/);
  assert.deepEqual(readdirSync(out).sort(), ['1', '2']);
  // Better than what serves: nobody needs to force it.
  const better = await train(ratings, '--model', 'als', '--out', `${out}/`, '--budget', '3s');
  assert.equal(better.code, 0, better.stderr);
  assert.match(better.stdout, /beside 0\.\d{4} \(.*\) of version 2 of .*movies: not worse by more than/);
  assert.equal((await newestVersion(out))!.version, 3);
  // Commands take the folder for its newest version.
  assert.match((await said('inspect', out)).stdout, /^.*movies\/3\/model\.shortlist: /);
  assert.equal((await said('query', out, 'u1', '--k', '1')).code, 0);
});

for (const model of ['als', 'two-tower']) {
  test(`--from a folder of versions: ${model} goes on with the same settings, and knows what is new`, async () => {
    const out = join(folder, `nightly-${model}`);
    const first = await train(ratings, '--model', model, '--out', out, '--budget', '1s');
    assert.equal(first.code, 0, first.stderr);
    const next = await train(tomorrow, '--from', out, '--out', out, '--force');
    assert.equal(next.code, 0, next.stderr);
    assert.match(
      next.stdout,
      /^Goes on from .*\/1\/model\.shortlist: .*; it knows 60 of the users and 36 of the items; 1 user and 1 item are new$/m,
    );
    assert.match(next.stdout, /\(1 trial\)/);
    const versions = [1, 2].map((version) => join(out, String(version), 'model.shortlist'));
    const [before, now] = [await loadBundle(versions[0]!), await loadBundle(versions[1]!)];
    assert.deepEqual([before.index.size, now.index.size], [36, 37]);
    const { settings } = now.metadata.training as { settings: Record<string, number> };
    assert.equal(
      settings.dimensions,
      (before.metadata.training as { settings: Record<string, number> }).settings.dimensions,
    );
    const asked = await said('query', versions[1]!, 'new user', '--k', '3');
    assert.doesNotMatch(asked.stderr, /not known to the model/);
  });
}

test('--from what does not say its settings, and beside --model, is refused', async () => {
  const out = join(folder, 'x.shortlist');
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  for (const [argv, code, expected] of [
    [['--from', empty], 1, /empty: expected a bundle or a folder of versions, got a folder without/],
    [['--from', ratings], 1, /ratings\.csv: header at byte 0/],
    [['--from', empty, '--model', 'als'], 2, /--model: expected none beside --from/],
  ] as const) {
    const found = await train(ratings, '--out', out, ...argv);
    assert.deepEqual([found.code, expected.test(found.stderr)], [code, true], found.stderr);
  }
});

test('a version that cannot be written whole is not there; two that are written at a time get two numbers', async () => {
  const out = join(folder, 'race');
  await assert.rejects(
    publishVersion(out, (path) => {
      writeFileSync(path, 'half');
      return Promise.reject(new Error('the disk is full'));
    }),
    /the disk is full/,
  );
  assert.deepEqual(readdirSync(out), []);
  await publishVersion(out, async (path) => {
    // Another process publishes while this one writes.
    mkdirSync(join(out, '1'));
    writeFileSync(join(out, '1', 'model.shortlist'), 'theirs');
    writeFileSync(path, 'ours');
  });
  assert.deepEqual(readdirSync(out).sort(), ['1', '2']);
});
