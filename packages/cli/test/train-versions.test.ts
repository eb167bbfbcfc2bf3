/** shortlist train into a folder of versions: the next version is written completely or not at all, a worse one is refused, and --from continues. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadBundle } from 'shortlist/node';
import { Generator } from 'shortlist/random';
import { newestVersion, publishVersion } from '../src/input/versions.ts';
import { temporaryFolder } from './fixtures/files.ts';
import { type CommandOutput, runCommand } from './fixtures/run-command.ts';
import { tastes } from './fixtures/tastes.ts';

const { folder, fileOf } = temporaryFolder();

const world = tastes();
const ratings = fileOf('ratings.csv', world.ratings);
/** The next day: one more like of every user, and a new user and a new film. */
const likes = world.later.split('\n').slice(1).join('\n');
const news = [...world.later.matchAll(/^u[036],(\d+)/gm)].map(
  ([, film], i) => `new user,${film},5,${1_600_000_100 + i}`,
);
const tomorrow = fileOf('tomorrow.csv', `${world.ratings}${likes}${news.join('\n')}\nu1,new film,5,1600000200\n`);

/** Time for a few trials: these tests compare versions, and each model is tried once at least. */
const BUDGET = '0.5s';

const train = (...argv: string[]): Promise<CommandOutput> =>
  runCommand('train', '--k', '5', ...(argv.includes('--budget') ? [] : ['--budget', '1m']), ...argv);

test('each run adds a version to a folder; one that is worse than the newest needs --force', async () => {
  const out = join(folder, 'movies');
  const first = await train(ratings, '--model', 'als', '--out', out, '--budget', BUDGET);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /movies\/1\/model\.shortlist: /);
  assert.match(first.stdout, /^ +shortlist serve .*\/movies$/m);
  // Random likes, from which nothing can be learned.
  const generator = new Generator(5);
  const noise = world.ratings.replaceAll(/,1\d\d,/g, () => `,${100 + generator.below(36)},`);
  const noisy = fileOf('noise.csv', noise);
  const refused = await train(noisy, '--model', 'als', '--out', out, '--budget', BUDGET);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /not published: recall@5 0\.\d{4} \(.*\) is below the [01]\.\d{4} \(.*\) of version 1 of .*movies by more than 0\.\d{4}, the error of both; the same command with --force publishes it, without repeating the trials \(.*movies\.trials\) \(ERR_DATA\)/,
  );
  assert.deepEqual(readdirSync(out), ['1']);
  const forced = await train(noisy, '--model', 'als', '--out', out, '--budget', BUDGET, '--force');
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stderr, /Continues from the \d+ trials? of an interrupted run/);
  assert.match(forced.stdout, /by more than .*; published because of --force/);
  assert.deepEqual(readdirSync(out).sort(), ['1', '2']);
  // A better version needs no --force.
  const better = await train(ratings, '--model', 'als', '--out', `${out}/`, '--budget', BUDGET);
  assert.equal(better.code, 0, better.stderr);
  assert.match(better.stdout, /compared with 0\.\d{4} \(.*\) of version 2 of .*movies: not worse by more than/);
  assert.equal((await newestVersion(out))!.version, 3);
  // Other commands use the newest version of the folder.
  assert.match((await runCommand('inspect', out)).stdout, /^.*movies\/3\/model\.shortlist: /);
  assert.equal((await runCommand('query', out, 'u1', '--k', '1')).code, 0);
});

for (const model of ['als', 'two-tower']) {
  test(`--from a folder of versions: ${model} continues with the same settings, and reports new users and items`, async () => {
    const out = join(folder, `nightly-${model}`);
    const first = await train(ratings, '--model', model, '--out', out, '--budget', BUDGET);
    assert.equal(first.code, 0, first.stderr);
    const next = await train(tomorrow, '--from', out, '--out', out, '--force');
    assert.equal(next.code, 0, next.stderr);
    assert.match(
      next.stdout,
      /^Continues from .*\/1\/model\.shortlist: .* It knows 60 users and 36 items of the data; 1 user and 1 item are new$/m,
    );
    assert.match(next.stdout, /Best of 1 trial on the validation part/);
    const versions = [1, 2].map((version) => join(out, String(version), 'model.shortlist'));
    const [before, now] = [await loadBundle(versions[0]!), await loadBundle(versions[1]!)];
    assert.deepEqual([before.index.size, now.index.size], [36, 37]);
    const { settings } = now.metadata.training as { settings: Record<string, number> };
    assert.equal(
      settings.dimensions,
      (before.metadata.training as { settings: Record<string, number> }).settings.dimensions,
    );
    const asked = await runCommand('query', versions[1]!, 'new user', '--k', '3');
    assert.doesNotMatch(asked.stderr, /not known to the model/);
  });
}

test('--from is refused for a bundle without a training record, and with --model', async () => {
  const out = join(folder, 'x.shortlist');
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  for (const [argv, code, expected] of [
    [['--from', empty], 1, /empty: expected a bundle or a folder of versions, got a folder without versions/],
    [['--from', ratings], 1, /ratings\.csv: header at byte 0/],
    [['--from', empty, '--model', 'als'], 2, /--model: not allowed with --from/],
  ] as const) {
    const found = await train(ratings, '--out', out, ...argv);
    assert.deepEqual([found.code, expected.test(found.stderr)], [code, true], found.stderr);
  }
});

test('a failed version leaves no folder; two versions written at the same time get different numbers', async () => {
  const out = join(folder, 'race');
  await assert.rejects(
    publishVersion(out, (path) => {
      writeFileSync(path, 'half');
      return Promise.reject(new Error('the disk is full'));
    }),
    /the disk is full/,
  );
  assert.ok(!existsSync(out));
  await publishVersion(out, async (path) => {
    // Another process writes a version at the same time.
    mkdirSync(join(out, '1'));
    writeFileSync(join(out, '1', 'model.shortlist'), 'theirs');
    writeFileSync(path, 'ours');
  });
  assert.deepEqual(readdirSync(out).sort(), ['1', '2']);
});
