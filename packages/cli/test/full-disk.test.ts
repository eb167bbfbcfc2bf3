/** A full disk and too little memory: one line with the path and the reason, exit code 1, and the old files as they were. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, openSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../src/run.ts';
import { appendText, replaceText } from '../src/terminal/text-file.ts';
import { temporaryFolder } from './fixtures/files.ts';
import { runCommand } from './fixtures/run-command.ts';
import { tastes } from './fixtures/tastes.ts';

const BIN = fileURLToPath(new URL('../src/bin.js', import.meta.url));
/** A device that has no room for any byte. */
const FULL = '/dev/full';
const options = { skip: !existsSync(FULL) && `this system has no ${FULL}` };
const { folder, fileOf } = temporaryFolder();

test('a text that finds the disk full leaves the old file and nothing else', options, async () => {
  const path = fileOf('old.json', 'old');
  symlinkSync(FULL, `${path}.writing`);
  await assert.rejects(replaceText(path, 'new'), {
    code: 'ERR_IO',
    message: `${path}: cannot be written: the disk is full (ENOSPC)`,
  });
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.deepEqual(readdirSync(folder), ['old.json']);
  await replaceText(path, 'new');
  assert.equal(readFileSync(path, 'utf8'), 'new');
  await assert.rejects(appendText(FULL, 'more'), { code: 'ERR_IO', message: /the disk is full \(ENOSPC\)$/ });
});

test('compress keeps the results of earlier runs where the disk is full', options, async () => {
  const out = join(folder, 'results');
  const argv = [
    'compress',
    '--data',
    'planted',
    '--epochs',
    '1',
    '--seeds',
    '1',
    '--methods',
    'hashing-trick',
    '--budgets',
    '1/64',
  ];
  const first = await runCommand(...argv, '--out', out);
  assert.equal(first.code, 0, first.stderr);
  const path = join(out, 'results.jsonl');
  const held = readFileSync(path, 'utf8');
  assert.equal(held.trimEnd().split('\n').length, 2);
  symlinkSync(FULL, `${path}.writing`);
  const second = await runCommand(...argv, '--out', out);
  assert.equal(second.code, 1);
  assert.equal(second.stderr, `shortlist: ${path}: cannot be written: the disk is full (ENOSPC) (ERR_IO)\n`);
  assert.equal(readFileSync(path, 'utf8'), held);
});

test('the trials of train and an export name the file and the reason', options, async () => {
  const ratings = fileOf('ratings.csv', tastes().ratings);
  const bundle = join(folder, 'x.shortlist');
  const train = ['train', ratings, '--model', 'als', '--budget', '1s', '--out', bundle];
  symlinkSync(FULL, `${bundle}.trials.writing`);
  const stopped = await runCommand(...train);
  assert.equal(stopped.code, 1);
  assert.match(
    stopped.stderr,
    /\nshortlist: .*x\.shortlist\.trials: cannot be written: the disk is full \(ENOSPC\) \(ERR_IO\)\n$/,
  );
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('x.')),
    [],
  );
});

test('standard output on a full disk ends the command with one line', options, () => {
  const child = spawnSync(process.execPath, [BIN, '--help'], {
    stdio: ['ignore', openSync(FULL, 'w'), 'pipe'],
    encoding: 'utf8',
  });
  assert.equal(child.status, 1);
  assert.equal(child.stderr, 'shortlist: standard output: cannot be written: the disk is full (ENOSPC) (ERR_IO)\n');
});

test('an error of the system, and one of memory, are one line without a stack', async () => {
  for (const [error, expected] of [
    [
      Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' }),
      'shortlist: read: the system refused: the device failed (EIO) (ERR_IO)\n',
    ],
    [
      Object.assign(new Error('EIO: i/o error, open'), { code: 'EIO', syscall: 'open', path: 'a/b' }),
      'shortlist: a/b: the system refused: the device failed (EIO) (ERR_IO)\n',
    ],
    [
      new RangeError('Array buffer allocation failed'),
      'shortlist: not enough memory, or address space (ulimit -v): Array buffer allocation failed (ERR_MEMORY)\n',
    ],
    [
      new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance'),
      /^shortlist: not enough memory, .* \(ERR_MEMORY\)\n$/,
    ],
    [
      new RangeError('Invalid array length'),
      /^shortlist: an unexpected error; .*\nRangeError: Invalid array length\n {4}at /,
    ],
  ] as const) {
    let written = '';
    const code = await run(['--version'], {
      stdout: {
        write: () => {
          throw error;
        },
      },
      stderr: { write: (text: string) => (written += text) },
      variables: {},
      now: () => 0,
      signal: new AbortController().signal,
    });
    assert.equal(code, 1);
    if (typeof expected === 'string') assert.equal(written, expected);
    else assert.match(written, expected);
  }
});
