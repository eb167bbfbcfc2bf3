/** shortlist similar: neighbours with titles, several at once, the nearest title of a misspelt one, identifiers that are integers. */
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
