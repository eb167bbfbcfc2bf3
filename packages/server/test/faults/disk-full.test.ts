/**
 * A full disk: updates are refused with the reason, reads go on, and updates work again when there is room. In its own
 * process, because it changes how files are written.
 */
import assert from 'node:assert/strict';
import fs, { mkdtempSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import type { ShortlistServer } from '../../src/index.ts';
import { FILMS, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const noSpace = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

/** The prototype of every open file, in which a test can make the disk full for the whole server. */
async function fileHandlePrototype(): Promise<FileHandle> {
  const file = await open(join(mkdtempSync(join(tmpdir(), 'shortlist-full-')), 'any'), 'w');
  await file.close();
  return Object.getPrototypeOf(file) as FileHandle;
}

const upsert = (server: ShortlistServer, id: string): Promise<{ status: number; headers: Headers; body: unknown }> =>
  post(server, '/v1/candidates/upsert', { candidates: [{ id, embedding: [1, 2, 3, 4] }] });

async function identifiers(server: ShortlistServer): Promise<Set<string>> {
  const { status, body } = await post(server, '/v1/shortlist', { embedding: [1, 0, 0, 0], k: 1000 });
  assert.equal(status, 200);
  return new Set((body as { results: { id: string }[] }).results.map(({ id }) => id));
}

for (const fsync of ['always', { everyMs: 1 }] as const) {
  const policy = fsync === 'always' ? 'always' : 'every ms';
  test(`a full disk (fsync ${policy}): writes are refused, reads go on, then writes work again`, async () => {
    const basePath = await tinyBasePath();
    let server = await startTiny(basePath, { fsync });
    assert.equal((await upsert(server, 'before')).status, 200);
    const prototype = await fileHandlePrototype();
    const write = prototype.write as (buffer: Uint8Array, ...rest: number[]) => Promise<{ bytesWritten: number }>;
    // As much as there is room for is written before the disk says no.
    const full = mock.fn(async function (this: FileHandle, buffer: Uint8Array, ...[offset, length, at]: number[]) {
      await write.call(this, buffer, offset!, length! >> 1, at!);
      throw noSpace();
    });
    prototype.write = full as never;
    for (let i = 0; i < 5; i++) {
      const [refused, found] = await Promise.all([upsert(server, `refused${i}`), identifiers(server)]);
      assert.equal(refused.status, 503);
      assert.equal(refused.headers.get('retry-after'), '1');
      const { error, code } = refused.body as { error: string; code: string };
      assert.deepEqual([error, code], ['The update was refused: the disk is full', 'UNAVAILABLE']);
      assert.equal(found.size, FILMS + 1);
    }
    assert.equal((await post(server, '/v1/candidates/delete', { ids: ['film0'] })).status, 503);
    assert.ok((await identifiers(server)).has('film0'));
    assert.ok(full.mock.callCount() >= 6);
    prototype.write = write as never;

    assert.equal((await upsert(server, 'after')).status, 200);
    const found = await identifiers(server);
    assert.ok(found.has('before') && found.has('after') && found.size === FILMS + 2);
    await server.close();
    server = await startTiny(basePath, { fsync });
    assert.deepEqual(await identifiers(server), found);
    assert.equal(server.registry.models[0]!.newest!.journal!.recovery.bytesCut, 0);
    await server.close();
  });
}

test('a compaction that finds the disk full leaves the version that serves and its journal', async () => {
  const basePath = await tinyBasePath();
  const server = await startTiny(basePath);
  assert.equal((await upsert(server, 'new')).status, 200);
  const before = await identifiers(server);
  const writes = [
    mock.method(fs, 'writeSync', () => {
      throw noSpace();
    }),
    mock.method(fs, 'write', (...args: unknown[]) => (args.at(-1) as (error: Error) => void)(noSpace())),
  ];
  syncBuiltinESMExports();
  const refused = await post(server, '/admin/models/films/compact', {});
  assert.deepEqual([refused.status, (refused.body as { error: string }).error], [503, 'The disk is full']);
  assert.ok(writes.some((full) => full.mock.callCount() > 0));
  for (const full of writes) full.mock.restore();
  syncBuiltinESMExports();
  assert.deepEqual(fs.readdirSync(basePath), ['1'], 'what was written is taken away again');
  assert.deepEqual(await identifiers(server), before);
  assert.equal((await upsert(server, 'newer')).status, 200);
  assert.equal((await post(server, '/admin/models/films/compact', {})).status, 200);
  assert.deepEqual(await identifiers(server), before.add('newer'));
  assert.equal(server.registry.models[0]!.newest!.version, 2);
  await server.close();
});

test('a compaction whose rename cannot be made durable is undone, so that later updates are not lost', async () => {
  const basePath = await tinyBasePath();
  const server = await startTiny(basePath);
  assert.equal((await upsert(server, 'new')).status, 200);
  const prototype = await fileHandlePrototype();
  const { sync } = prototype;
  const folders: number[] = [];
  prototype.sync = async function (this: FileHandle) {
    if (!(await this.stat()).isDirectory()) return sync.call(this);
    folders.push(this.fd);
    // Only of the folder of versions, when the new one is there.
    if (fs.existsSync(join(basePath, '2'))) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
    return sync.call(this);
  };
  try {
    assert.equal((await post(server, '/admin/models/films/compact', {})).status, 500);
  } finally {
    prototype.sync = sync;
  }
  assert.ok(folders.length > 0);
  assert.deepEqual(fs.readdirSync(basePath), ['1']);
  const [model] = server.registry.models;
  await model!.reconcile();
  assert.equal(model!.newest!.version, 1);
  assert.equal((await upsert(server, 'newer')).status, 200);
  assert.equal((await post(server, '/admin/models/films/compact', {})).status, 200);
  const found = await identifiers(server);
  assert.ok(found.has('new') && found.has('newer'));
  await server.close();
});
