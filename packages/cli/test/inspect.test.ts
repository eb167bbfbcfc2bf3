/** shortlist inspect: interactions with their quality, vectors, a bundle, and files that are none of these. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BruteForce, SeenItems } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { temporaryFolder } from './fixtures/files.ts';
import { type CommandOutput, runCommand } from './fixtures/run-command.ts';

const { folder, fileOf } = temporaryFolder();

const run = (...argv: string[]): Promise<CommandOutput> => runCommand('inspect', ...argv);

const ratings = fileOf('ratings.csv', 'userId,movieId,rating\n1,10,5\n1,11,2\n2,10,4\n3,12\n');
const movies = fileOf('movies.csv', 'movieId,title,genres\n10,Heat,Crime|Drama\n13,Alien,Horror\n');

test('interactions: three lines, the broken rows with their lines, and the table of items', async () => {
  const { code, stdout } = await run(ratings, '--items', movies);
  assert.equal(code, 0);
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    `${ratings}: CSV, with a header, UTF-8, 3 rows`,
    'user = userId (2 users), item = movieId (2 items), value = rating, explicit feedback, no time, likes are rating >= 4 (inferred)',
    'no duplicates, 1 user and 1 item with only one row, 1 broken row left out',
    `${ratings}:5: left out: expected 3 fields, got 2`,
    `${movies}: CSV, with a header, UTF-8, 2 items by movieId: title (text), genres (list)`,
    'items without metadata: 1, for example 11; rows of items without interactions: 1',
    'genres: read as lists, separated by "|"',
  ]);
});

test('--json prints one object; --test reports leaks; --like selects rows', async () => {
  const { stdout } = await run(ratings, '--json', '--test', ratings, '--like', 'rating >= 4');
  const event = JSON.parse(stdout);
  assert.deepEqual(
    [event.event, event.quality.rows, event.like, event.leaks.pairsInBoth],
    ['interactions', 2, 'rating >= 4', 2],
  );
});

test('a wrong column, a broken row with --strict, and a missing file are errors of one line', async () => {
  const column = await run(ratings, '--user-column', 'usrId');
  assert.deepEqual([column.code, column.stdout], [1, '']);
  assert.match(column.stderr, /got "usrId": did you mean "userId"\?/);
  assert.match((await run(ratings, '--strict')).stderr, /ratings\.csv:5: expected 3 fields, got 2 \(ERR_DATA\)\n$/);
  assert.match((await run(join(folder, 'nothing.csv'))).stderr, /nothing\.csv: cannot be read: .*\(ERR_IO\)\n$/);
  assert.match((await run(folder)).stderr, /expected a bundle or a folder of versions, got a folder without versions/);
  assert.equal((await run()).code, 2);
  assert.equal((await run(ratings, '--header', 'maybe')).code, 2);
});

test('a bundle: candidates, parts with their bytes, metadata', async () => {
  const path = join(folder, 'x.shortlist');
  const index = new BruteForce<never, string>().index(
    [
      [1, 0],
      [0, 1],
    ],
    ['a', 'b'],
  );
  const seenItems = SeenItems.empty();
  seenItems.add('42', ['a', 'c']);
  await saveBundle(path, { index, seenItems, metadata: { attributes: { title: ['A', 'B'] }, model: 'als' } });
  const { stdout } = await run(path);
  assert.match(stdout, /2 candidates with 2 dimensions, queries are embeddings; all checksums are correct\n/);
  assert.match(stdout, /^index +brute-force +\d+ bytes$/m);
  assert.match(stdout, /^seenItems +seen-items +\d+ bytes$/m);
  assert.match(stdout, /^seen items: 1 users have seen 2 items, 2 pairs in \d+ bytes; left out of results by default/m);
  assert.match(stdout, /^metadata\.model: "als"$/m);
  assert.equal(JSON.parse((await run(path, '--json')).stdout).candidates, 2);
});

test('vectors: rows, dimensions and type', async () => {
  const path = join(folder, 'x.fvecs');
  writeFileSync(path, new Uint8Array(Int32Array.of(2, 0, 0, 2, 0, 0).buffer));
  assert.equal((await run(path)).stdout, `${path}: fvecs (float32), 2 vectors of 2 dimensions\n`);
});
