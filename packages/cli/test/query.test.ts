/** shortlist query: towers, implicit ALS and plain vectors answer with identifiers and attributes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BruteForce, type Features, Matrix, SeenItems, Tower } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { type Said, said as saidBy } from './fixtures/said.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-query-'));
after(() => rmSync(folder, { recursive: true }));

const said = (...argv: string[]): Promise<Said> => saidBy('query', ...argv);

test('a bundle of vectors is asked with an embedding; columns stand beside, the title first', async () => {
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
  const { code, stdout } = await said(path, '2,1', '--k', '3');
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
  const json = await said(path, '--json', '--k', '1', '--exclude', 'a', '--', '-1,0');
  assert.deepEqual(JSON.parse(json.stdout), { identifier: 'b', score: 0, attributes: { title: 'Alien', year: null } });
  for (const wrong of ['1', '1,x', '1,2,3', 'de']) {
    const answer = await said(path, wrong);
    assert.deepEqual([answer.code, answer.stdout], [1, '']);
    assert.match(answer.stderr, /expected an embedding, 2 numbers with commas/);
  }
  // By the mean of their unit vectors, of which that of c counts for less: what lies between b and c is nearest to c.
  const byHistory = await said(path, '--json', '--k', '1', '--history', 'b,c,x,b');
  assert.deepEqual(JSON.parse(byHistory.stdout).identifier, 'c');
  assert.equal(byHistory.stderr, 'not known to the model and left out of the history: x\n');
  const left = await said(path, '--json', '--history', 'b,c', '--exclude-seen');
  assert.deepEqual(JSON.parse(left.stdout).identifier, 'a');
  assert.match((await said(path, '--history', 'x,y')).stderr, /--history: expected an item that the model knows/);
  assert.equal((await said(path)).code, 2);
  assert.equal((await said(path, '1,2', '--k', '0')).code, 2);
});

test('a bundle with a tower is asked with a user; somebody unknown is told', async () => {
  const path = join(folder, 'tower.shortlist');
  const tower = Tower.create({ vocabulary: ['42', '7'], dimensions: 2 });
  const index = new BruteForce<Features, string>({ queryModel: tower }).index(new Matrix(2, 2), ['a', 'b']);
  await saveBundle(path, { index });
  const known = await said(path, '42');
  assert.deepEqual([known.code, known.stderr], [0, '']);
  assert.match((await said(path, 'nobody')).stderr, /^"nobody" is not known to the model/);
  assert.match((await said(path, '{"user":')).stderr, /expected features as JSON/);
});

test('what the user of a query has seen is left out as the bundle says, or as the flag does', async () => {
  const path = join(folder, 'seen.shortlist');
  const queryModel = Tower.create({ vocabulary: ['1', '2'], dimensions: 2 });
  const seenItems = SeenItems.empty<number>({ itemType: 'number' });
  seenItems.add('1', [10, 30, 50]);
  const index = new BruteForce<string, number>({ queryModel }).index(new Matrix(3, 2), [10, 20, 30]);
  await saveBundle(path, { index, seenItems });
  const found = async (...argv: string[]): Promise<[number[], string]> => {
    const { stdout, stderr } = await said(path, ...argv, '--json');
    const lines = stdout.split('\n').filter((line) => line !== '');
    return [lines.map((line) => JSON.parse(line).identifier), stderr];
  };
  assert.deepEqual(await found('1'), [[20], '3 items that the user has seen are left out\n']);
  assert.deepEqual(await found('1', '--no-exclude-seen'), [[10, 20, 30], '']);
  assert.deepEqual(await found('2'), [[10, 20, 30], '']);
  assert.deepEqual(await found('2', '--exclude', '10,20'), [[30], '']);
  assert.match((await found('2', '--exclude', 'ten'))[1], /--exclude: expected identifiers that are numbers/);
  // Somebody whom the model does not know is asked for with what he has seen, or with --history.
  seenItems.add('new', [10, 20]);
  await saveBundle(path, { index, seenItems });
  const said2 = '2 items that the user has seen are left out\n';
  const left1 = 'not known to the model and left out of the history: 11\n';
  assert.deepEqual(await found('new'), [
    [30],
    `asked with what the user has seen, 2 items, in the place of "new"\n${said2}`,
  ]);
  assert.deepEqual(await found('nobody', '--history', '10,11'), [
    [20, 30],
    `${left1}asked with the history, 1 items, in the place of "nobody"\n${said2}`,
  ]);
  const [, ignored] = await found('2', '--history', '10');
  assert.equal(
    ignored,
    'the history is ignored, as the user is known to the model\n1 items that the user has seen are left out\n',
  );
  const plain = join(folder, 'unseen.shortlist');
  await saveBundle(plain, { index });
  assert.match((await said(plain, '1', '--exclude-seen')).stderr, /expected a bundle that holds what users have seen/);
});

test('rules of a query: values, marginal relevance, a least score, pinned and blocked; lists are printed with commas', async () => {
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
    const { code, stdout, stderr } = await said(path, '1,0', '--json', ...argv);
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
  assert.equal((await said(path, '1,0', '--pin', 'e,x')).stderr, '--pin: not in the bundle and ignored: x\n');
  const shown = await said(path, '1,0', '--k', '1');
  assert.match(shown.stdout, /9\.0000 +war, drama\n/);
  for (const [argv, message] of [
    [['--per-value', 'genre=1'], /perValue: expected a known attribute, nearest is genres, got "genre"/],
    [['--per-value', 'genres'], /--per-value: expected ATTRIBUTE=N such as genre=3, got "genres"/],
    [['--per-value', 'genres=0'], /--per-value: expected a number from 1/],
    [['--mmr', '2'], /--mmr: expected a number from 0 to 1, got "2"/],
    [['--mmr-candidates', '9'], /--mmr-candidates: expected --mmr beside it/],
    [['--score-threshold', 'high'], /--score-threshold: expected a number/],
  ] as const) {
    const { code, stdout, stderr } = await said(path, '1,0', ...argv);
    assert.ok(code > 0 && stdout === '', stderr);
    assert.match(stderr, message);
  }
});
