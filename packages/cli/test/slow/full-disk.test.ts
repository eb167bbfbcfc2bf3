/** Commands that write to a disk without room: one line that says so, and nothing is left there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../fixtures/files.ts';
import { runCommand } from '../fixtures/run-command.ts';
import { tastes } from '../fixtures/tastes.ts';

const { folder, fileOf } = temporaryFolder();

test('every command that writes files leaves none on a disk that is full', async (t) => {
  const ratings = fileOf('ratings.csv', tastes().ratings);
  const bundle = join(folder, 'x.shortlist');
  const train = ['train', ratings, '--model', 'als', '--budget', '1s'];
  assert.equal((await runCommand(...train, '--out', bundle)).code, 0);
  const vectors = join(folder, 'vectors.npy');
  assert.equal((await runCommand('export', bundle, '--what', 'embeddings', '--out', vectors)).code, 0);
  const disk = join(folder, 'disk');
  spawnSync('mkdir', [disk]);
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
  if (status !== 0) return t.skip(`no disk can be mounted: ${error?.message ?? String(stderr).trim()}`);
  t.after(() => spawnSync('umount', ['-l', disk]));
  // A folder and an empty file take no room of such a disk.
  for (let bytes = 1 << 20; bytes >= 1; bytes >>= 1) {
    try {
      writeFileSync(join(disk, `filler-${bytes}`), new Uint8Array(bytes));
    } catch {
      // Smaller ones may still fit.
    }
  }
  const before = readdirSync(disk).sort();
  for (const argv of [
    ['restore', bundle, join(disk, 'models/movies')],
    [...train, '--out', `${join(disk, 'movies')}/`],
    [...train, '--out', join(disk, 'y.shortlist')],
    ['export', bundle, '--out', join(disk, 'rows.csv')],
    ['export', bundle, '--what', 'embeddings', '--out', join(disk, 'rows.npy')],
    ['index', vectors, '--out', join(disk, 'z.shortlist')],
    ['index', vectors, '--memory-bytes', '8000000', '--out', join(disk, 'z.shortlist')],
    ['compress', '--data', 'planted', '--epochs', '1', '--seeds', '1', '--out', join(disk, 'results')],
  ]) {
    const { code, stderr } = await runCommand(...argv);
    assert.equal(code, 1, argv.join(' '));
    assert.match(
      stderr,
      /(^|\n)shortlist: .*: cannot be written( to)?: the disk is full \(ENOSPC\) \(ERR_IO\)\n$/,
      argv.join(' '),
    );
    assert.deepEqual(readdirSync(disk).sort(), before, argv.join(' '));
  }
});
