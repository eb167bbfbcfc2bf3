/** shortlist train with a spec of features, and with a history tower: what is trained, served, upserted and continued; wrong specs and values. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ShortlistServer } from '@shortlist/server';
import { pino } from 'pino';
import type { JsonObject } from 'shortlist/format';
import { loadBundle } from 'shortlist/node';
import { temporaryFolder } from './fixtures/files.ts';
import { type CommandOutput, runCommand } from './fixtures/run-command.ts';
import { tastes } from './fixtures/tastes.ts';

const { folder, fileOf } = temporaryFolder();

const world = tastes();
/** Each row names the home of its user, who has another taste in another town. */
const ratings = fileOf(
  'ratings.csv',
  world.ratings
    .split('\n')
    .map((line, i) =>
      i === 0 ? `${line},home` : line === '' ? '' : `${line},town ${Number(/^u(\d+)/.exec(line)![1]) % 3}`,
    )
    .join('\n'),
);
const movies = fileOf('movies.csv', world.movies);
const SPEC = {
  queryTower: { features: { home: { type: 'string', dimensions: 4 } } },
  candidateTower: {
    features: { title: { type: 'text', numBins: 64, dimensions: 4 }, genre: { type: 'bag', dimensions: 8 } },
  },
  dimensions: 8,
  batchSize: 32,
  learningRate: 0.02,
};
const spec = fileOf('spec.json', JSON.stringify(SPEC));

const train = (...argv: string[]): Promise<CommandOutput> =>
  runCommand('train', ratings, '--items', movies, '--k', '5', '--budget', '1m', ...argv);

async function served(
  path: string,
  use: (ask: (route: string, body: object) => Promise<JsonObject>) => Promise<void>,
): Promise<void> {
  const server = await ShortlistServer.start({
    models: [{ name: 'movies', path, policy: { latest: 1 } }],
    httpPort: 0,
    grpcPort: 0,
    logger: pino({ level: 'silent' }),
  });
  try {
    await use(async (route, body) => {
      const answer = await fetch(`http://127.0.0.1:${server.httpPort}${route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await answer.json()) as JsonObject;
    });
  } finally {
    await server.close();
  }
}

test('--features: towers over columns of both files; the bundle serves raw features and takes raw new items', async () => {
  const out = join(folder, 'movies');
  const { code, stdout, stderr } = await train('--features', spec, '--out', out);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /Best of 1 trial .*: two towers over features, dimensions 8, temperature 0\.1, learningRate 0\.02, epochs \d+: recall@5/,
  );
  assert.match(stdout, /\npopularity .*\n(.*\n)+feature model /);
  assert.match(stdout, /Next: shortlist query .* '\{"home":"town 0"\}'/);
  const path = join(out, '1', 'model.shortlist');
  const { training } = (await loadBundle(path)).metadata as {
    training: { features: JsonObject; test: { recall: { mean: number } } };
  };
  assert.deepEqual(training.features, SPEC);
  // The towers know the taste of a town: 5 of the 7 unseen items of it, two of them held out.
  assert.ok(training.test.recall.mean > 0.6, `${training.test.recall.mean}`);
  await served(out, async (ask) => {
    const found = (await ask('/v1/shortlist', { query: { home: 'town 1' }, k: 5 })) as {
      results?: { genre: string[] }[];
    };
    assert.deepEqual(new Set(found.results?.map(({ genre }) => genre)), new Set(['genre 1']), JSON.stringify(found));
    const candidates = [{ id: 'new', features: { title: 'Film 99, the', genre: ['genre 2'] } }];
    assert.equal((await ask('/v1/candidates/upsert', { candidates })).acknowledged, 1);
    const [best] = (
      (await ask('/v1/shortlist', { query: { home: 'town 2' }, k: 1, include: ['new', '101'] })) as {
        results: { id: string }[];
      }
    ).results;
    assert.equal(best!.id, 'new');
    const wrong = await ask('/v1/shortlist', { query: { home: 7 }, k: 1 });
    assert.match(JSON.stringify(wrong), /home in row 0: expected a string, got 7/);
  });
  // The training continues with the spec of the bundle; another spec is refused.
  const next = await train('--from', out, '--out', out, '--force');
  assert.equal(next.code, 0, next.stderr);
  const other = fileOf(
    'other.json',
    JSON.stringify({ ...SPEC, queryTower: { features: { home: { type: 'string', dimensions: 5 } } } }),
  );
  const refused = await train('--from', out, '--out', out, '--features', other);
  assert.match(
    refused.stderr,
    /other\.json: expected the spec of .*got another one, which differs in queryTower\.features\.home\.dimensions/,
  );
});

test('--model history: a user is asked by name or by a history, on the command line and in the server', async () => {
  const out = join(folder, 'history.shortlist');
  const { code, stdout, stderr } = await train('--model', 'history', '--out', out);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Best of \d+ trials? .*: history tower, dimensions \d+, recencyDecay 0\.\d/);
  const named = await runCommand('query', out, 'u4', '--k', '3');
  assert.equal([...named.stdout.matchAll(/ genre 1\n/g)].length, 3, named.stdout + named.stderr);
  const listed = await runCommand('query', out, '--history', '102,105,108', '--k', '3');
  assert.match(listed.stdout, / genre 2\n/, listed.stderr);
  const evaluated = await runCommand(
    'evaluate',
    out,
    fileOf('later.csv', world.later),
    '--k',
    '5',
    '--like',
    'rating >= 4',
  );
  assert.equal(evaluated.code, 0, evaluated.stderr);
  assert.match(evaluated.stdout, /history\.shortlist +0\.[5-9]/);
  const exported = join(folder, 'users.csv');
  assert.equal((await runCommand('export', out, '--what', 'recommendations', '--out', exported, '--k', '2')).code, 0);
  assert.equal((await runCommand('bench', out, '--seconds', '0.1')).code, 0);
  await served(out, async (ask) => {
    const given = { query: { history: ['102', '105'] }, user: 'u4', k: 3 };
    const byHistory = (await ask('/v1/shortlist', given)) as { results?: { genre: string }[] };
    assert.deepEqual(
      byHistory.results?.map(({ genre }) => genre),
      Array(3).fill('genre 2'),
      'the history of the query, and not that of the user whose seen items are left out',
    );
    const byUser = (await ask('/v1/shortlist', { user: 'u5', k: 3 })) as { results?: { genre: string }[] };
    assert.deepEqual(
      byUser.results?.map(({ genre }) => genre),
      Array(3).fill('genre 2'),
      JSON.stringify(byUser),
    );
  });
});

test('--features with attention over histories: trained, asked by a history, and continued', async () => {
  const out = join(folder, 'attention.shortlist');
  const attentive = (heads: number): string => {
    const history = { type: 'sequence', table: 'items', dimensions: 16, attention: { blocks: 1, heads } };
    const queryTower = { features: { history } };
    const candidateTower = { features: { item: { type: 'string', table: 'items' } } };
    return JSON.stringify({ queryTower, candidateTower, dimensions: 16, batchSize: 32, learningRate: 0.01 });
  };
  const { code, stderr } = await train('--features', attentive(2), '--out', out);
  assert.equal(code, 0, stderr);
  for (const history of ['102,105,108', '102']) {
    const asked = await runCommand('query', out, '--history', history, '--k', '3');
    assert.equal([...asked.stdout.matchAll(/ genre 2\n/g)].length, 3, asked.stdout + asked.stderr);
  }
  const next = await train('--from', out, '--out', out, '--force');
  assert.equal(next.code, 0, next.stderr);
  const refused = await train('--features', attentive(3), '--out', out, '--force');
  assert.match(refused.stderr, /history\.attention\.heads: expected a divisor of the 16 dimensions, got 3/);
});

test('a wrong spec, a missing column and values that do not fit are named by file, row and feature', async () => {
  const out = join(folder, 'none.shortlist');
  const specOf = (query: object, candidate: object): string =>
    JSON.stringify({ queryTower: { features: query }, candidateTower: { features: candidate } });
  const home = { home: { type: 'string' } };
  mkdirSync(join(folder, 'dir'));
  for (const [features, expected, more = []] of [
    [join(folder, 'missing.json'), /missing\.json: cannot be read/],
    [fileOf('half.json', '{"queryTower":'), /half\.json: expected JSON, got/],
    [
      specOf({ home: { type: 'strng' } }, {}),
      /--features: queryTower\.features\.home\.type: expected a known type, nearest is string/,
    ],
    [
      specOf(home, { genre: { type: 'bag', combine: 'sum' } }),
      /--features: candidateTower\.features\.genre: expected a known option, nearest is combiner, got "combine"/,
    ],
    [
      specOf({ hme: { type: 'string' } }, { genre: { type: 'bag' } }),
      /ratings\.csv: expected a column "hme" for queryTower\.features\.hme, got none; the nearest is "home"/,
    ],
    [
      specOf(home, { genres: { type: 'bag' } }),
      /movies\.csv: expected a column "genres" for candidateTower\.features\.genres, got none; the nearest is "genre"/,
    ],
    [
      specOf(home, { title: { type: 'number' } }),
      /got 36 that do not:\n.*movies\.csv, row 1 \(item "100"\): candidateTower\.features\.title: expected a number, got "Film 0, the"\n(.*\n){8}.*row 10 /,
    ],
    [
      specOf({ user: { type: 'integer' } }, { genre: { type: 'bag' } }),
      /user in row 0: expected an integer, got "u\d+"/,
    ],
    [specOf(home, { genre: { type: 'bag' } }), /--features: not allowed with --model als/, ['--model', 'als']],
  ] as [string, RegExp, string[]?][]) {
    const { code, stderr } = await train('--out', out, '--features', features, ...more);
    assert.ok(code !== 0 && expected.test(stderr), stderr);
    assert.equal(existsSync(out), false);
  }
  const short = fileOf('short.csv', world.movies.split('\n').slice(0, 30).join('\n'));
  const { stderr } = await runCommand('train', ratings, '--items', short, '--features', spec, '--out', out);
  assert.match(
    stderr,
    /short\.csv, no row \(item "\d+"\): candidateTower\.features\.title: expected a text, got none\n(.*\n)+"missing": "own" in a feature accepts rows without a value/,
  );
  const alone = await runCommand('train', ratings, '--features', spec, '--out', out);
  assert.match(
    alone.stderr,
    /candidateTower\.features\.title reads the column "title": expected --items with a table of items, got none/,
  );
  // Columns of the table of users come before those of the interactions.
  const users = fileOf('users.csv', 'userId,age,home\nu0,31,town 0\nu1,old,town 1\nu2,40,7\n');
  const aged = specOf(
    { age: { type: 'number', missing: 'own' }, home: { type: 'string', missing: 'own' } },
    { genre: { type: 'bag' } },
  );
  const old = await train('--users', users, '--features', aged, '--out', out);
  assert.match(
    old.stderr,
    /got 1 that do not:\n.*users\.csv, row 2 \(user "u1"\): queryTower\.features\.age: expected a number, got "old"/,
  );
  const nameless = await train('--model', 'features', '--out', out);
  assert.match(nameless.stderr, /--model features: expected --features with a spec, got none/);
});
