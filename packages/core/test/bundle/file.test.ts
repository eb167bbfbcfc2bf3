/** Files are replaced completely or not at all: whatever call fails, the old bytes stay and no other file is left. */
import assert from 'node:assert/strict';
import * as nodeFiles from 'node:fs';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { replaceFile, replaceFileAsync, type WriteCalls, withFile } from '../../src/bundle/file.ts';
import { OptionError } from '../../src/errors/errors.ts';
import type { AsyncSink, Sink } from '../../src/format/writer.ts';
import { runtime } from '../format/containers.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'shortlist-file-'));
after(() => rmSync(ROOT, { recursive: true }));

/** A folder of its own with an old file. */
function oldFile(name: string): { folder: string; path: string } {
  const folder = join(ROOT, name);
  mkdirSync(folder);
  const path = join(folder, 'saved');
  writeFileSync(path, 'old');
  return { folder, path };
}

const writeNew = (sink: Sink): void => {
  sink.write(Buffer.from('ne'));
  sink.write(new Uint8Array());
  sink.write(Buffer.from('w'));
};

const writeNewAsync = async (sink: AsyncSink): Promise<void> => {
  await sink.write(Buffer.from('ne'));
  await sink.write(new Uint8Array());
  await sink.write(Buffer.from('w'));
};

test('a file is made and replaced', async () => {
  const path = join(ROOT, 'fresh');
  await replaceFile(path, (sink) => sink.write(Buffer.from('first')));
  assert.equal(readFileSync(path, 'utf8'), 'first');
  await replaceFile(path, writeNew);
  assert.equal(readFileSync(path, 'utf8'), 'new');
});

test('permissions and links stay', async () => {
  const { folder, path } = oldFile('links');
  chmodSync(path, 0o600);
  symlinkSync(path, join(folder, 'link'));
  await replaceFile(join(folder, 'link'), writeNew);
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder).sort(), ['link', 'saved']);
});

test('bytes of the shared linear memory are written and read in place', async () => {
  const path = join(ROOT, 'shared');
  const block = runtime.heap.allocate(1000);
  block.bytes().fill(9);
  await replaceFile(path, (sink) => sink.write(block.bytes()));
  block.bytes().fill(0);
  await withFile(path, async (source) => {
    assert.equal(source.sizeBytes, block.sizeBytes);
    await source.read(100, block.bytes().subarray(10, 20));
  });
  assert.deepEqual([...block.bytes().subarray(9, 21)], [0, ...Array(10).fill(9), 0]);
  block.free();
});

test('short writes are continued', async () => {
  const path = join(ROOT, 'short');
  const calls: WriteCalls = {
    ...nodeFiles,
    writeSync: (descriptor, bytes, at) => nodeFiles.writeSync(descriptor, bytes, at, 1),
  };
  await replaceFile(path, writeNew, calls);
  assert.equal(readFileSync(path, 'utf8'), 'new');
  const again: WriteCalls = {
    ...nodeFiles,
    write: (descriptor, bytes, at, _, position, done) => nodeFiles.write(descriptor, bytes, at, 1, position, done),
  };
  writeFileSync(path, 'old');
  await replaceFileAsync(path, writeNewAsync, again);
  assert.equal(readFileSync(path, 'utf8'), 'new');
});

const NO_SPACE: Error = Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
const refuse = (): never => {
  throw NO_SPACE;
};
const FAILING: Record<string, Partial<WriteCalls>> = {
  'opening the new file': { openSync: refuse },
  'writing, the disk being full': { writeSync: refuse, write: (_d, _b, _a, _l, _p, done) => done(NO_SPACE, 0) },
  'flushing the file': { fsync: (_, done) => done(NO_SPACE) },
  'closing it': { closeSync: refuse },
  renaming: { renameSync: refuse },
};

for (const [what, failing] of Object.entries(FAILING)) {
  test(`failure at ${what}: the old file stays and nothing beside it`, async () => {
    const { folder, path } = oldFile(what);
    const calls: WriteCalls = { ...nodeFiles, ...failing };
    for (const replace of [
      () => replaceFile(path, writeNew, calls),
      () => replaceFileAsync(path, writeNewAsync, calls),
    ]) {
      await assert.rejects(replace(), {
        name: 'FileError',
        code: 'ERR_IO',
        message: `${path}: cannot be written: the disk is full (ENOSPC)`,
        cause: NO_SPACE,
      });
      assert.equal(readFileSync(path, 'utf8'), 'old');
      assert.deepEqual(readdirSync(folder), ['saved']);
    }
  });
}

test('what the writer throws passes as it is', async () => {
  const { folder, path } = oldFile('writer');
  const mistake = new OptionError('k: expected …');
  const write = (sink: Sink): void => {
    sink.write(Buffer.from('half'));
    throw mistake;
  };
  await assert.rejects(replaceFile(path, write), (error) => error === mistake);
  assert.deepEqual(readdirSync(folder), ['saved']);
});

test('folders, devices and missing paths are named', async () => {
  await assert.rejects(replaceFile(ROOT, writeNew), { code: 'ERR_IO', message: /expected a file to replace/ });
  await assert.rejects(replaceFile('/dev/null', writeNew), { code: 'ERR_IO', message: /expected a file to replace/ });
  await assert.rejects(replaceFile(join(ROOT, 'no/such'), writeNew), {
    code: 'ERR_IO',
    message: /cannot be written: there is no such file or folder \(ENOENT\)$/,
  });
  const use = async (): Promise<void> => {};
  await assert.rejects(withFile(join(ROOT, 'none'), use), { code: 'ERR_IO', message: /ENOENT/ });
  await assert.rejects(withFile(ROOT, use), { code: 'ERR_IO', message: /expected a file/ });
});

test('a file cut while it is read is an error, not a wait', async () => {
  const { path } = oldFile('cut');
  const read = withFile(path, async (source) => {
    writeFileSync(path, '');
    await source.read(0, new Uint8Array(3));
  });
  await assert.rejects(read, { code: 'ERR_IO', message: /expected 3 bytes, got fewer: it was shortened/ });
});

test('a save removes what killed processes left of the same file more than six hours ago, and nothing else', async () => {
  const { folder, path } = oldFile('leftovers');
  const left = (name: string, ageS: number): void => {
    writeFileSync(join(folder, name), 'half');
    const now = Date.now() / 1000;
    utimesSync(join(folder, name), now, now - ageS);
  };
  const [old, young] = [6.1 * 3600, 5.9 * 3600];
  left('saved.0123456789abcdef.tmp', old);
  const kept = [
    'saved.1123456789abcdef.tmp',
    'other.0123456789abcdef.tmp',
    'saved.tmp',
    'saved.0123456789abcdef.tmp.x',
  ];
  for (const name of kept) left(name, name === kept[0] ? young : old);
  await replaceFile(path, writeNew);
  assert.deepEqual(readdirSync(folder).sort(), ['saved', ...kept].sort());
});
