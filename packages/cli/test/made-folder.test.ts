/** A folder that was made for files which could not be written does not stay. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { publishVersion } from '../src/input/versions.ts';
import { inFolder } from '../src/terminal/made-folder.ts';
import { temporaryFolder } from './fixtures/files.ts';

const { folder } = temporaryFolder();
const failed = new Error('failed');
const fail = (): Promise<never> => Promise.reject(failed);

test('of a nested folder all that was made goes, and what was there or is not empty stays', async () => {
  const there = join(folder, 'there');
  mkdirSync(there);
  await assert.rejects(inFolder(join(there, 'a/b/c'), fail), failed);
  assert.deepEqual(readdirSync(there), []);
  await assert.rejects(inFolder(there, fail), failed);
  assert.ok(existsSync(there));
  await assert.rejects(
    inFolder(join(there, 'a/b'), () => {
      writeFileSync(join(there, 'a/other'), '');
      return fail();
    }),
    failed,
  );
  assert.deepEqual(readdirSync(there, { recursive: true }).sort(), ['a', 'a/other']);
  assert.equal(await inFolder(join(there, 'b'), async () => 7), 7);
  assert.ok(existsSync(join(there, 'b')));
});

test('a version that cannot be written leaves neither its folder nor the folder of versions', async () => {
  const models = join(folder, 'models/movies');
  const full = Object.assign(new Error('ENOSPC: no space left on device, copyfile'), {
    code: 'ENOSPC',
    syscall: 'copyfile',
  });
  await assert.rejects(
    publishVersion(models, () => Promise.reject(full)),
    { code: 'ERR_IO', message: `${models}: cannot be written to: the disk is full (ENOSPC)` },
  );
  assert.ok(!existsSync(join(folder, 'models')));
  // What a killed process of the same number has left is no part of the version.
  const left = join(models, `.writing-${process.pid}`);
  mkdirSync(left, { recursive: true });
  writeFileSync(join(left, 'old.shortlist'), 'half');
  await publishVersion(models, async (path) => writeFileSync(path, 'whole'));
  assert.deepEqual(readdirSync(models, { recursive: true }).sort(), ['1', '1/model.shortlist']);
});
