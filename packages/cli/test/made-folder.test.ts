/** A folder that was made for files which could not be written does not stay. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
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
});

test('a version removes the unfinished ones that have not changed for six hours, and is readable by others', async () => {
  const models = join(folder, 'models/films');
  const now = Date.now() / 1000;
  // By the name of earlier versions of the command, which had a process number, and by that of this one.
  for (const [name, ageS] of [
    ['.writing-1', 6.1 * 3600],
    ['.writing-abcdef', 5.9 * 3600],
    ['other', 1e6],
  ] as const) {
    const left = join(models, name);
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, 'model.shortlist.0123456789abcdef.tmp'), 'half');
    for (const path of [join(left, 'model.shortlist.0123456789abcdef.tmp'), left]) utimesSync(path, now, now - ageS);
  }
  await publishVersion(models, async (path) => writeFileSync(path, 'whole'));
  assert.deepEqual(readdirSync(models).sort(), ['.writing-abcdef', '1', 'other']);
  assert.equal(statSync(join(models, '1')).mode, statSync(models).mode);
});
