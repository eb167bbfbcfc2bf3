/** shortlist similar: neighbours of one, of several and of a vector; rules; the nearest title of a misspelt one; integers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BruteForce } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { type CommandOutput, runCommand } from './fixtures/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-similar-'));
after(() => rmSync(folder, { recursive: true }));

const run = (...argv: string[]): Promise<CommandOutput> => runCommand('similar', ...argv);
const VECTORS = [
  [1, 0],
  [9, 1],
  [0, 2],
  [1, 1],
];
const attributes = { year: [1995, 1979, 1999, null], title: ['Heat', 'Alien', 'Toy Story 2', 'Ran'] };

test('neighbours by cosine with their titles, of one and of several candidates, with exclusions, and as JSON', async () => {
  const path = join(folder, 'films.shortlist');
  const index = new BruteForce<never, string>().index(VECTORS, ['a', 'b', 'c', 'toString']);
  await saveBundle(path, { index, metadata: { attributes } });
  const one = await run(path, 'a');
  assert.deepEqual([one.code, one.stderr], [0, 'similar to a: Heat\n']);
  const cells = one.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ +/));
  assert.deepEqual(cells, [
    ['identifier', 'score', 'title', 'year'],
    ['1', 'b', '0.9939', 'Alien', '1979'],
    ['2', 'toString', '0.7071', 'Ran'],
    ['3', 'c', '0.0000', 'Toy', 'Story', '2', '1999'],
  ]);
  const several = await run(path, 'a', 'c', '--k', '1', '--json');
  assert.deepEqual(JSON.parse(several.stdout).identifier, 'toString');
  const left = await run(path, 'toString', '--exclude', 'b,a', '--json');
  assert.deepEqual(JSON.parse(left.stdout).attributes, { title: 'Toy Story 2', year: 1999 });
  const only = await run(path, 'a', '--include', 'c,nobody', '--json');
  assert.equal(JSON.parse(only.stdout).identifier, 'c');
  const wrong = await run(path, 'a', 'Toy story');
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  assert.match(
    wrong.stderr,
    /ID: expected the identifier of a candidate, got "Toy story"; "Toy Story 2" has the identifier c/,
  );
  assert.equal((await run(path)).code, 2);
  assert.equal((await run()).code, 2);
  assert.equal((await run(path, 'a', '--k', '0')).code, 2);
  assert.match((await run(path, 'a', '--jsn')).stderr, /unknown option --jsn; did you mean --json\?/);
  assert.match((await runCommand('similr', path, 'a')).stderr, /did you mean similar\?/);
  assert.match((await run(join(folder, 'nothing.shortlist'), 'a')).stderr, /nothing\.shortlist/);
});

test('identifiers that are integers of 64 bits, and those without titles', async () => {
  const path = join(folder, 'integers.shortlist');
  const index = new BruteForce<never, bigint>().index(VECTORS, [2n ** 60n, 2n ** 60n + 1n, 2n, -3n]);
  await saveBundle(path, { index });
  const found = await run(path, String(2n ** 60n), '--k', '1', '--json');
  assert.deepEqual([found.stderr, JSON.parse(found.stdout).identifier], ['', String(2n ** 60n + 1n)]);
  assert.equal((await run('--k', '1', path, '--', '-3')).code, 0);
  for (const word of ['5', 'x', '1e3', '']) {
    const answer = await run(path, word);
    assert.deepEqual([answer.code, answer.stdout], [1, '']);
    assert.match(answer.stderr, /ID: expected the identifier of a candidate, got/);
  }
  const names = join(folder, 'names.shortlist');
  await saveBundle(names, { index: new BruteForce<never, string>().index(VECTORS, ['Heat', 'Alien', 'Ran', 'M']) });
  assert.match((await run(names, 'Alein')).stderr, /did you mean "Alien"\?/);
});

test('a vector instead of identifiers, and the rules of query', async () => {
  const path = join(folder, 'rules.shortlist');
  const index = new BruteForce<never, string>().index(
    [
      [1, 0],
      [9, 1],
      [8, 1],
      [1, 1],
      [0, 2],
    ],
    ['a', 'b', 'c', 'd', 'e'],
  );
  const genres = [['war'], ['drama', 'war'], ['drama'], ['comedy'], null];
  await saveBundle(path, { index, metadata: { attributes: { genres } } });
  const found = async (...argv: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await run(path, '--json', ...argv);
    assert.equal(code, 0, stderr);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line).identifier);
  };
  assert.deepEqual(await found('--vector', '2,0'), ['a', 'b', 'c', 'd', 'e']);
  assert.deepEqual(await found('--vector=-1,2', '--k', '2'), ['e', 'd']);
  assert.deepEqual(await found('a'), ['b', 'c', 'd', 'e']);
  assert.deepEqual(await found('a', '--per-value', 'genres=1'), ['b', 'd', 'e']);
  assert.deepEqual(await found('a', '--pin', 'e', '--block', 'b,c'), ['e', 'd']);
  assert.deepEqual(await found('a', '--score-threshold', '0.5'), ['b', 'c', 'd']);
  assert.deepEqual(await found('a', '--mmr', '0.2', '--k', '2'), ['b', 'e']);
  assert.equal((await run(path, 'a', '--pin', 'e,x')).stderr, '--pin: not in the bundle and ignored: x\n');
  for (const [argv, message, code] of [
    [['a', '--vector', '1,0'], /similar: expected a bundle and either identifiers of candidates or --vector/, 2],
    [['--vector', '1,0,0'], /--vector: expected 2 numbers with commas; got 3 numbers/, 1],
    [['--vector', '1,x'], /--vector: expected 2 numbers with commas; got "1,x"/, 1],
    [['--vector', '0,0'], /vector: expected one with a direction, got only zeros/, 1],
    [['a', '--per-value', 'genre=1'], /expected a known attribute, nearest is genres, got "genre"/, 1],
    [['a', '--mmr', '2'], /--mmr: expected a number from 0 to 1, got "2"/, 2],
  ] as const) {
    const answer = await run(path, ...argv);
    assert.deepEqual([answer.code, answer.stdout], [code, '']);
    assert.match(answer.stderr, message);
  }
});
