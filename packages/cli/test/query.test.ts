/** shortlist query: bundles with towers, with implicit ALS and with vectors return identifiers and attributes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BruteForce, type Features, Matrix, SeenItems, Tower } from 'shortlist';
import { learnFeatures } from 'shortlist/features';
import { saveBundle } from 'shortlist/node';
import { type CommandOutput, runCommand } from './fixtures/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-query-'));
after(() => rmSync(folder, { recursive: true }));

const run = (...argv: string[]): Promise<CommandOutput> => runCommand('query', ...argv);

test('a query for a bundle of vectors is an embedding; attributes are printed, the title first', async () => {
  const path = join(folder, 'vectors.shortlist');
  const index = new BruteForce<never, string>().index(
    [
      [1, 0],
      [0, 1],
      [1, 1],
    ],
    ['a', 'b', 'c'],
  );
  await saveBundle(path, {
    index,
    metadata: { attributes: { year: [1995, null, 2001], title: ['Heat', 'Alien', null] } },
  });
  const { code, stdout } = await run(path, '2,1', '--k', '3');
  assert.deepEqual(
    [
      code,
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.trim().split(/ +/)),
    ],
    [
      0,
      [
        ['identifier', 'score', 'title', 'year'],
        ['1', 'c', '3.0000', '2001'],
        ['2', 'a', '2.0000', 'Heat', '1995'],
        ['3', 'b', '1.0000', 'Alien'],
      ],
    ],
  );
  const json = await run(path, '--json', '--k', '1', '--exclude', 'a', '--', '-1,0');
  assert.deepEqual(JSON.parse(json.stdout), { identifier: 'b', score: 0, attributes: { title: 'Alien', year: null } });
  for (const wrong of ['1', '1,x', '1,2,3', 'de']) {
    const answer = await run(path, wrong);
    assert.deepEqual([answer.code, answer.stdout], [1, '']);
    assert.match(answer.stderr, /expected an embedding, 2 numbers with commas/);
  }
  // The query is the mean of the unit vectors of the history.
  const byHistory = await run(path, '--json', '--k', '1', '--history', 'b,c,x,b');
  assert.deepEqual(JSON.parse(byHistory.stdout).identifier, 'c');
  assert.equal(byHistory.stderr, 'left out of the history, because the model does not know them: x\n');
  const left = await run(path, '--json', '--history', 'b,c', '--exclude-seen');
  assert.deepEqual(JSON.parse(left.stdout).identifier, 'a');
  assert.match((await run(path, '--history', 'x,y')).stderr, /--history: expected an item that the model knows/);
  assert.equal((await run(path)).code, 2);
  assert.equal((await run(path, '1,2', '--k', '0')).code, 2);
});

test('a query for a bundle with a tower is a user; an unknown user is reported', async () => {
  const path = join(folder, 'tower.shortlist');
  const tower = Tower.create({ vocabulary: ['42', '7'], dimensions: 2 });
  const index = new BruteForce<Features, string>({ queryModel: tower }).index(new Matrix(2, 2), ['a', 'b']);
  await saveBundle(path, { index });
  const known = await run(path, '42');
  assert.deepEqual([known.code, known.stderr], [0, '']);
  assert.match((await run(path, 'nobody')).stderr, /^"nobody" is not known to the model/);
  assert.match((await run(path, '{"user":')).stderr, /expected features as JSON/);
});

test('seen items are left out by the setting of the bundle or by an option', async () => {
  const path = join(folder, 'seen.shortlist');
  const queryModel = Tower.create({ vocabulary: ['1', '2'], dimensions: 2 });
  const seenItems = SeenItems.empty<number>({ itemType: 'number' });
  seenItems.add('1', [10, 30, 50]);
  const index = new BruteForce<string, number>({ queryModel }).index(new Matrix(3, 2), [10, 20, 30]);
  await saveBundle(path, { index, seenItems });
  const found = async (...argv: string[]): Promise<[number[], string]> => {
    const { stdout, stderr } = await run(path, ...argv, '--json');
    const lines = stdout.split('\n').filter((line) => line !== '');
    return [lines.map((line) => JSON.parse(line).identifier), stderr];
  };
  assert.deepEqual(await found('1'), [[20], '3 items that the user has seen are left out\n']);
  assert.deepEqual(await found('1', '--no-exclude-seen'), [[10, 20, 30], '']);
  assert.deepEqual(await found('2'), [[10, 20, 30], '']);
  assert.deepEqual(await found('2', '--exclude', '10,20'), [[30], '']);
  assert.match((await found('2', '--exclude', 'ten'))[1], /--exclude: expected identifiers that are numbers/);
  // The query of a user whom the model does not know is made from the seen items or from --history.
  seenItems.add('new', [10, 20]);
  await saveBundle(path, { index, seenItems });
  const left2 = '2 items that the user has seen are left out\n';
  const left1 = 'left out of the history, because the model does not know them: 11\n';
  assert.deepEqual(await found('new'), [
    [30],
    `the query is made from the items that the user has seen (2 items) instead of "new"\n${left2}`,
  ]);
  assert.deepEqual(await found('nobody', '--history', '10,11'), [
    [20, 30],
    `${left1}the query is made from the given history (1 item) instead of "nobody"\n${left2}`,
  ]);
  const [, ignored] = await found('2', '--history', '10');
  assert.equal(
    ignored,
    'the history is ignored, because the model knows the user\n1 item that the user has seen is left out\n',
  );
  const plain = join(folder, 'unseen.shortlist');
  await saveBundle(plain, { index });
  assert.match((await run(plain, '1', '--exclude-seen')).stderr, /expected a bundle that holds what users have seen/);
});

test('rules of a query: per value, marginal relevance, score threshold, pinned and blocked; lists are printed with commas', async () => {
  const path = join(folder, 'rules.shortlist');
  const identifiers = ['a', 'b', 'c', 'd', 'e'];
  const index = new BruteForce<never, string>().index(
    [
      [9, 0],
      [8, 0.1],
      [7, 0],
      [3, 3],
      [1, 0],
    ],
    identifiers,
  );
  const genres = [['war', 'drama'], ['drama'], ['drama'], ['comedy'], null];
  await saveBundle(path, { index, metadata: { attributes: { genres } } });
  const found = async (...argv: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await run(path, '1,0', '--json', ...argv);
    assert.equal(code, 0, stderr);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).identifier);
  };
  assert.deepEqual(await found('--per-value', 'genres=1'), ['a', 'd', 'e']);
  assert.deepEqual(await found('--per-value', 'genres=2', '--k', '3'), ['a', 'b', 'd']);
  assert.deepEqual(await found('--pin', 'e,x', '--block', 'a,c'), ['e', 'b', 'd']);
  assert.deepEqual(await found('--score-threshold', '7'), ['a', 'b', 'c']);
  assert.deepEqual(await found('--mmr', '0.2', '--k', '2', '--mmr-candidates', '4'), ['a', 'd']);
  assert.equal(
    (await run(path, '1,0', '--pin', 'e,x')).stderr,
    '--pin: ignored, because they are not in the bundle: x\n',
  );
  const shown = await run(path, '1,0', '--k', '1');
  assert.match(shown.stdout, /9\.0000 +war, drama\n/);
  for (const [argv, message] of [
    [['--per-value', 'genre=1'], /perValue: expected a known attribute, nearest is genres, got "genre"/],
    [['--per-value', 'genres'], /--per-value: expected ATTRIBUTE=N such as genre=3, got "genres"/],
    [['--per-value', 'genres=0'], /--per-value: expected a number from 1/],
    [['--mmr', '2'], /--mmr: expected a number from 0 to 1, got "2"/],
    [['--mmr-candidates', '9'], /--mmr-candidates: expected --mmr, too/],
    [['--score-threshold', 'high'], /--score-threshold: expected a number/],
  ] as const) {
    const { code, stdout, stderr } = await run(path, '1,0', ...argv);
    assert.ok(code > 0 && stdout === '', stderr);
    assert.match(stderr, message);
  }
});

test('a query for a tower of a spec of features is JSON; what does not fit and what is unknown is said', async () => {
  const path = join(folder, 'features.shortlist');
  const features = await learnFeatures(
    { history: { type: 'sequence', dimensions: 2 }, age: { type: 'number', missing: 'own' } },
    [{ history: [['a', 'b'], ['c']], age: [20, 40] }],
  );
  const queryModel = Tower.create({ features, dense: [2], seed: 4 });
  const index = new BruteForce<Features, string>({ queryModel: queryModel as never }).index(
    [
      [1, 0],
      [0, 1],
    ],
    ['x', 'y'],
  );
  await saveBundle(path, { index });
  const query = { history: ['b', 'a'], age: 31 };
  const [best] = index.call([query]).hits();
  const known = await run(path, JSON.stringify(query), '--k', '1');
  assert.equal(known.code, 0, known.stderr);
  assert.match(known.stdout, new RegExp(`1 +${best!.identifier} +${best!.score.toFixed(4)}`));
  const unknown = await run(path, '{"history": ["never"]}');
  assert.match(unknown.stdout + unknown.stderr, /not known to the model: the value of history/);
  const wrong = await run(path, '{"history": ["a"], "age": "old"}');
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /age in row 0: expected a number, got "old"/);
});
