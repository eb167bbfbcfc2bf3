/**
 * The folder of a version is removed, moved or replaced while it is served: an update is refused, unless a restarted
 * server would find it.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import type { ShortlistServer } from '../../src/index.ts';
import { post, saveTinyBundle, startTiny } from '../fixtures/tiny-bundle.ts';

/** Makes `v/1` and `other` versions, and returns their paths. */
async function folders(isLinked: boolean): Promise<{ base: string; version: string; other: string }> {
  const root = mkdtempSync(join(tmpdir(), 'shortlist-replaced-'));
  const base = join(root, 'v');
  const other = join(root, 'other');
  const version = join(base, '1');
  await saveTinyBundle(isLinked ? join(root, 'first') : version);
  await saveTinyBundle(other);
  if (isLinked) {
    mkdirSync(base);
    symlinkSync(join(root, 'first'), version);
  }
  return { base, version, other };
}

async function upsert(server: ShortlistServer, id: string): Promise<[number, string]> {
  const candidates = [{ id, embedding: [1, 0, 0, 0] }];
  const { status, body } = await post(server, '/v1/candidates/upsert', { candidates });
  return [status, (body as { error?: string }).error ?? ''];
}

async function found(server: ShortlistServer, ...include: string[]): Promise<string[]> {
  const { body } = await post(server, '/v1/shortlist', { query: 'u1', include, k: 20 });
  return (body as { results: { id: string }[] }).results.map(({ id }) => id).sort();
}

interface Change {
  isLinked?: boolean;
  change: (paths: { base: string; version: string; other: string }) => void;
  undo?: (paths: { base: string; version: string; other: string }) => void;
  reason: RegExp;
}

const CHANGES: Readonly<Record<string, Change>> = {
  'a link that leads elsewhere': {
    isLinked: true,
    change: ({ version, other }) => {
      symlinkSync(other, `${version}.tmp`);
      renameSync(`${version}.tmp`, version);
    },
    undo: ({ version }) => {
      symlinkSync(join(version, '..', '..', 'first'), `${version}.tmp`);
      renameSync(`${version}.tmp`, version);
    },
    reason: /the folder of version 1 was replaced while it was served/,
  },
  'a folder that was removed': {
    change: ({ version }) => rmSync(version, { recursive: true }),
    reason: /the folder of version 1 was removed or moved while it was served/,
  },
  'a folder replaced by another': {
    change: ({ version, other }) => {
      renameSync(version, `${version}.old`);
      renameSync(other, version);
    },
    undo: ({ version, other }) => {
      renameSync(version, other);
      renameSync(`${version}.old`, version);
    },
    reason: /the folder of version 1 was replaced while it was served/,
  },
  'a journal that was removed': {
    change: ({ version }) => rmSync(join(version, 'updates.journal')),
    reason: /the folder of version 1 was replaced while it was served, or its journal was removed/,
  },
  'a folder of versions that was moved': {
    change: ({ base }) => renameSync(base, `${base}.moved`),
    undo: ({ base }) => renameSync(`${base}.moved`, base),
    reason: /the folder of version 1 was removed or moved while it was served/,
  },
};

for (const [name, { isLinked = false, change, undo, reason }] of Object.entries(CHANGES)) {
  test(`${name}: the next update is refused by name, in the status and the metrics, too`, async () => {
    const paths = await folders(isLinked);
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
    const server = await startTiny(paths.base, { logger });
    const look = (): Promise<void> => server.registry.models[0]!.reconcile();
    assert.deepEqual(await upsert(server, 'before'), [200, '']);
    change(paths);
    const [status, error] = await upsert(server, 'lost');
    assert.equal(status, 400);
    assert.match(error, reason);
    assert.ok(!error.includes(paths.base), error);
    assert.deepEqual(await found(server, 'before', 'lost'), ['before']);
    const there = existsSync(paths.base) ? readdirSync(paths.base) : undefined;
    for (const work of ['compact', 'rebalance']) {
      const refused = await post(server, `/admin/models/films/${work}`, {});
      assert.equal(refused.status, 400);
      assert.match(
        (refused.body as { error: string }).error,
        /^The compaction was refused: the folder of version 1 was /,
      );
    }
    assert.deepEqual(existsSync(paths.base) ? readdirSync(paths.base) : undefined, there);
    await look();
    const [record] = server.registry.models[0]!.records;
    assert.match(record!.journal!.refused ?? '', reason);
    const url = `http://127.0.0.1:${server.httpPort}`;
    assert.match(JSON.stringify(await (await fetch(`${url}/admin/models/films`)).json()), reason);
    assert.match(await (await fetch(`${url}/metrics`)).text(), /shortlist_updates_refused\{[^}]*\} 1/);
    assert.equal(lines.filter((line) => line.includes('accepts no updates any more')).length, 1);
    if (undo) {
      undo(paths);
      assert.deepEqual(await upsert(server, 'after'), [200, '']);
      await look();
      assert.equal(lines.filter((line) => line.includes('accepts updates again')).length, 1);
    }
    await server.close();
    if (!undo) return;
    const again = await startTiny(paths.base);
    assert.deepEqual(await found(again, 'before', 'lost', 'after'), ['after', 'before']);
    await again.close();
  });
}

test('a bundle that was removed alone: updates are refused until it is back, or a compaction has written another', async () => {
  const { base, version, other } = await folders(false);
  const bundle = join(version, 'model.shortlist');
  const server = await startTiny(base);
  assert.deepEqual(await upsert(server, 'before'), [200, '']);
  renameSync(bundle, join(other, 'kept'));
  const [status, error] = await upsert(server, 'lost');
  assert.equal(status, 400);
  assert.match(
    error,
    /the bundle of version 1 was removed while it was served, .*; put the bundle back, or compact the/,
  );
  assert.deepEqual(await found(server, 'before', 'lost'), ['before']);
  renameSync(join(other, 'kept'), bundle);
  assert.deepEqual(await upsert(server, 'between'), [200, '']);
  // Another name is found by a restarted server, too.
  renameSync(bundle, join(version, 'renamed.shortlist'));
  assert.deepEqual(await upsert(server, 'renamed'), [200, '']);
  rmSync(join(version, 'renamed.shortlist'));
  assert.equal((await upsert(server, 'lost'))[0], 400);
  assert.equal((await post(server, '/admin/models/films/compact', {})).status, 200);
  assert.deepEqual(await upsert(server, 'after'), [200, '']);
  await server.close();
  const again = await startTiny(base);
  const names = ['before', 'lost', 'between', 'renamed', 'after'];
  assert.deepEqual(await found(again, ...names), ['after', 'before', 'between', 'renamed']);
  await again.close();
});

test('a bundle replaced by rename keeps its journal: the updates are found after a restart', async () => {
  const { base, version, other } = await folders(false);
  const server = await startTiny(base);
  assert.deepEqual(await upsert(server, 'before'), [200, '']);
  renameSync(join(other, 'model.shortlist'), join(version, 'model.shortlist'));
  assert.deepEqual(await upsert(server, 'after'), [200, '']);
  await server.close();
  const again = await startTiny(base);
  assert.deepEqual(await found(again, 'before', 'after'), ['after', 'before']);
  await again.close();
});

test('a compaction accepts updates in its new folder, and notices when that is replaced', async () => {
  const { base, other } = await folders(false);
  const server = await startTiny(base);
  assert.deepEqual(await upsert(server, 'before'), [200, '']);
  assert.equal((await post(server, '/admin/models/films/compact', {})).status, 200);
  assert.deepEqual(await upsert(server, 'after'), [200, '']);
  renameSync(join(base, '2'), join(base, '2.old'));
  renameSync(other, join(base, '2'));
  assert.match((await upsert(server, 'lost'))[1], /the folder of version 2 was replaced/);
  await server.close();
});
