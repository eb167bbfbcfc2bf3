/**
 * The long forms of the journal's tests: damage at every byte, kills of one and of two servers, disks that are full or
 * read only.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ShortlistServer } from '../../src/index.ts';
import { findAfter, startChild, upsert } from '../faults/killing.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';
import { checkDamaged, HEAD_BYTES, knownJournal, requestAt } from '../journal/damaged-journal.ts';

test('each byte behind the head flipped: all requests but the one it belongs to are replayed', async () => {
  const journal = await knownJournal();
  for (let at = HEAD_BYTES; at < journal.bytes.length; at++) {
    const damaged = Buffer.from(journal.bytes);
    damaged[at]! ^= 0x55;
    await checkDamaged(journal, damaged, new Set([requestAt(journal, at)]), `byte ${at} flipped`);
  }
});

test('garbage put between two requests: every request is replayed', async () => {
  const journal = await knownJournal();
  for (const begin of journal.begins.slice(0, -1)) {
    for (const garbage of [Buffer.alloc(1, 7), Buffer.alloc(13, 0xff), Buffer.alloc(4096)]) {
      const damaged = Buffer.concat([journal.bytes.subarray(0, begin), garbage, journal.bytes.subarray(begin)]);
      writeFileSync(journal.path, damaged);
      await checkDamaged(journal, damaged, new Set(), `${garbage.length} bytes at ${begin}`);
    }
  }
});

test('one server killed ten times on one folder: no acknowledged update is lost', async () => {
  const basePath = await tinyBasePath();
  const acknowledged: string[] = [];
  for (let round = 0; round < 10; round++) {
    const { child, port } = await startChild(basePath);
    const exited = once(child, 'exit');
    for (let i = 100 * round; await upsert(port, i).catch(() => false); i++) {
      acknowledged.push(`n${i}`);
      if (i % 100 === 30 + round) child.kill('SIGKILL');
    }
    await exited;
  }
  await checkAfter(basePath, acknowledged);
});

test('of two servers on one folder the one that takes updates is killed ten times: the other takes over', async () => {
  const basePath = await tinyBasePath();
  const acknowledged: string[] = [];
  let owner = await startChild(basePath);
  for (let round = 0; round < 10; round++) {
    const second = await startChild(basePath);
    const exited = once(owner.child, 'exit');
    for (let i = 100 * round; await upsert(owner.port, i).catch(() => false); i++) {
      acknowledged.push(`n${i}`);
      if (i % 100 === 20) assert.equal(await upsert(second.port, 5_000 + i), false, 'the second refuses');
      if (i % 100 === 30 + round) owner.child.kill('SIGKILL');
    }
    await exited;
    const { status } = await fetch(`http://127.0.0.1:${second.port}/v2/repository/models/films/load`, {
      method: 'POST',
    });
    assert.equal(status, 200);
    owner = second;
  }
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');
  await checkAfter(basePath, acknowledged);
});

async function checkAfter(basePath: string, acknowledged: readonly string[]): Promise<void> {
  const { found, half } = await findAfter(basePath);
  assert.ok(acknowledged.length >= 300);
  assert.deepEqual(
    acknowledged.filter((id) => !found.has(id)),
    [],
  );
  assert.equal(half, 0);
}

/** A small disk of memory, where root may mount one; otherwise the test is skipped with what the system said. */
function mountTmpfs(t: TestContext, size: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-disk-'));
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  if (status === 0) {
    t.after(() => {
      spawnSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    });
    return folder;
  }
  t.skip(`no disk can be mounted: ${error?.message ?? String(stderr).trim()}`);
  return undefined;
}

const send = (server: ShortlistServer, id: string): Promise<{ status: number; body: unknown }> =>
  post(server, '/v1/candidates/upsert', {
    candidates: [{ id, embedding: [1, 2, 3, 4], attributes: { note: 'x'.repeat(1000) } }],
  });

test('a real disk that is full: updates are refused, what was acknowledged stays, room makes them work again', async (t) => {
  const disk = mountTmpfs(t, '256k');
  if (disk === undefined) return;
  cpSync(await tinyBasePath(), disk, { recursive: true });
  let server = await startTiny(disk, { fsync: 'always' });
  const filler = join(disk, 'filler');
  writeFileSync(filler, Buffer.alloc(32 << 10));
  const acknowledged: string[] = [];
  let answer = await send(server, 'n0');
  for (let i = 1; answer.status === 200 && i < 2000; i++) {
    acknowledged.push(`n${i - 1}`);
    answer = await send(server, `n${i}`);
  }
  assert.equal(answer.status, 503);
  assert.match((answer.body as { error: string }).error, /the disk is full/);
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  rmSync(filler);
  assert.equal((await send(server, 'after')).status, 200);
  await server.close();
  server = await startTiny(disk);
  const { body } = await post(server, '/v1/shortlist', { embedding: [1, 2, 3, 4], k: 1000 });
  const found = new Set((body as { results: { id: string }[] }).results.map(({ id }) => id));
  assert.deepEqual(
    [...acknowledged, 'after'].filter((id) => !found.has(id)),
    [],
  );
  await server.close();
});

test('a disk that is mounted read only is served, without updates and with the reason', async (t) => {
  const disk = mountTmpfs(t, '1m');
  if (disk === undefined) return;
  cpSync(await tinyBasePath(), disk, { recursive: true });
  let server = await startTiny(disk);
  assert.equal((await send(server, 'before')).status, 200);
  await server.close();
  assert.equal(spawnSync('mount', ['-o', 'remount,ro', disk]).status, 0);
  server = await startTiny(disk);
  assert.equal(server.isReady, true);
  const { body } = await post(server, '/v1/shortlist', { embedding: [1, 2, 3, 4], include: ['before'] });
  assert.equal((body as { results: unknown[] }).results.length, 1);
  const { status, body: refusal } = await send(server, 'after');
  assert.equal(status, 400);
  assert.match((refusal as { error: string }).error, /accepts no updates: its folder cannot be written \(EROFS\)/);
  await server.close();
});
