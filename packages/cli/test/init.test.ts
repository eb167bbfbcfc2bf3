/** shortlist init: files are recognised by their columns, and the configuration that is written trains without arguments. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { configuredArguments } from '../src/config/config-file.ts';
import { run } from '../src/run.ts';
import { runCommand } from './fixtures/run-command.ts';
import { tastes } from './fixtures/tastes.ts';

const folder = mkdtempSync(join(tmpdir(), 'shortlist-init-'));
const start = process.cwd();
before(() => {
  process.chdir(folder);
  const { ratings, later, movies } = tastes();
  writeFileSync('ratings.csv', ratings);
  writeFileSync('movies.csv', movies);
  writeFileSync('notes.json', '{"nothing": "of the kind"');
  writeFileSync('later.txt', later);
  // A table of items with other identifiers instead of titles.
  writeFileSync(
    'links.csv',
    movies.replaceAll(/^(\w+),.*$/gm, (_, id: string) => `${id},${id === 'movieId' ? 'imdbId' : '0114709'}`),
  );
});
afterEach(() => rmSync('shortlist.config.json', { force: true }));
after(() => {
  process.chdir(start);
  rmSync(folder, { recursive: true });
});

const config = (): Record<string, Record<string, unknown>> => JSON.parse(readFileSync('shortlist.config.json', 'utf8'));

test('the files of a folder are recognised, and the other commands need no arguments', async () => {
  const { code, stdout, stderr } = await runCommand('init');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /notes\.json is left out/);
  assert.match(stdout, /items: movies\.csv/);
  assert.match(stdout, /shortlist\.config\.json was written/);
  const { train, serve } = config();
  assert.equal(train!.files, 'ratings.csv');
  assert.equal(train!.items, 'movies.csv');
  assert.equal(train!.out, 'movies.shortlist');
  assert.deepEqual(serve, { files: 'movies.shortlist' });
  const { argv } = await configuredArguments('train', []);
  assert.ok(argv.includes('--items=movies.csv') && argv.includes('ratings.csv'), argv.join(' '));
  const again = await runCommand('init');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /exists already; --force replaces it/);
  assert.equal((await runCommand('init', '--force', 'ratings.csv', '--out', 'other.shortlist')).code, 0);
  assert.deepEqual([config().train!.items, config().train!.out], [undefined, 'other.shortlist']);
});

test('of two files of users and items the one with ratings is used, which is reported', async () => {
  writeFileSync('tags.csv', 'userId,movieId,tag\n1,2,good\n1,3,bad\n2,3,good\n');
  const { code, stderr } = await runCommand('init', 'tags.csv', 'ratings.csv', 'movies.csv');
  rmSync('tags.csv');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /ratings\.csv is used as the file of interactions, because tags\.csv has no ratings/);
  assert.equal(config().train!.files, 'ratings.csv');
});

test('with two files of interactions the command asks on a terminal, and is an error elsewhere', async () => {
  const refused = await runCommand('init', 'ratings.csv', 'later.txt');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /expected one file of interactions, got ratings\.csv, later\.txt/);
  const written = { stdout: '', stderr: '' };
  const code = await run(['init', 'ratings.csv', 'later.txt', 'movies.csv'], {
    stdout: { write: (text: string) => (written.stdout += text) },
    stderr: { write: (text: string) => (written.stderr += text) },
    variables: {},
    now: () => performance.now(),
    signal: new AbortController().signal,
    ask: async () => '2',
  });
  assert.equal(code, 0, written.stderr);
  assert.equal(config().train!.files, 'later.txt');
});

test('Ctrl-C at the question ends the command with one line', async () => {
  const interrupt = new AbortController();
  let stderr = '';
  const code = await run(['init', 'ratings.csv', 'later.txt'], {
    stdout: { write: () => undefined },
    stderr: { write: (text: string) => (stderr += text) },
    variables: {},
    now: () => performance.now(),
    signal: interrupt.signal,
    // As node:readline does.
    ask: async () => {
      interrupt.abort(new Error('Ctrl-C'));
      throw new DOMException('The operation was aborted', 'AbortError');
    },
  });
  assert.equal(code, 130);
  assert.match(stderr, /(^|\n)shortlist: init: interrupted \(ERR_ABORTED\)\n$/);
});

test('without users and items there is no configuration', async () => {
  const { code, stderr } = await runCommand('init', 'movies.csv');
  assert.equal(code, 1);
  assert.match(stderr, /expected a file with columns of users and items/);
  const missing = await runCommand('init', 'nothere.csv');
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /nothere\.csv/);
});
