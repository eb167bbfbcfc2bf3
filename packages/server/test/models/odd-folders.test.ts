/**
 * Version folders and files of other kinds than usual: links as Kubernetes mounts them, FIFOs, sockets, a read-only
 * disk.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import type { ShortlistServer } from '../../src/index.ts';
import { post, saveTinyBundle, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const look = (server: ShortlistServer): Promise<void> => server.registry.models[0]!.reconcile();
const states = (server: ShortlistServer): [number, string, string][] =>
  server.registry.models[0]!.records.map(({ version, state, errorMessage }) => [version, state, errorMessage]);

test('a mounted volume of Kubernetes: versions are links through ..data, which is changed at once', async () => {
  const basePath = mkdtempSync(join(tmpdir(), 'shortlist-links-'));
  const publish = async (date: string, version: number): Promise<void> => {
    await saveTinyBundle(join(basePath, date, String(version)), { seed: version });
    symlinkSync(date, join(basePath, '..data_tmp'));
    renameSync(join(basePath, '..data_tmp'), join(basePath, '..data'));
    symlinkSync(join('..data', String(version)), join(basePath, String(version)));
  };
  await publish('..2026_01', 1);
  const server = await startTiny(basePath);
  assert.deepEqual(states(server), [[1, 'AVAILABLE', '']]);
  unlinkSync(join(basePath, '1'));
  await publish('..2026_02', 2);
  await look(server);
  assert.deepEqual(states(server)[0], [2, 'AVAILABLE', '']);
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  symlinkSync('nowhere', join(basePath, '3'));
  await look(server);
  const [version, state, message] = states(server)[0]!;
  assert.deepEqual([version, state], [3, 'END']);
  assert.match(message, /ENOENT|no such file|nothing/i);
  assert.equal(server.registry.models[0]!.newest!.version, 2);
  await server.close();
});

/** Puts something that is no file at a path; returns what takes it away. */
const KINDS: Readonly<Record<string, (path: string) => Promise<() => void>>> = {
  FIFO: async (path) => {
    execFileSync('mkfifo', [path]);
    return () => undefined;
  },
  socket: async (path) => {
    const listener = createServer().listen(path);
    await once(listener, 'listening');
    return () => void listener.close();
  },
  folder: async (path) => {
    mkdirSync(path);
    return () => undefined;
  },
  device: async (path) => {
    symlinkSync('/dev/zero', path);
    return () => undefined;
  },
};

for (const [kind, make] of Object.entries(KINDS)) {
  test(`a ${kind} as a bundle, and as a journal: said at once, later versions load`, { timeout: 60_000 }, async () => {
    const basePath = await tinyBasePath();
    const server = await startTiny(basePath);
    mkdirSync(join(basePath, '2'));
    const takenAway = [await make(join(basePath, '2', 'm.shortlist'))];
    await look(server);
    assert.deepEqual(states(server)[0]!.slice(0, 2), [2, 'END']);
    assert.match(states(server)[0]![2], new RegExp(`m\\.shortlist: expected a file, got a ${kind}`));
    cpSync(join(basePath, '1', 'model.shortlist'), join(basePath, '3', 'model.shortlist'));
    takenAway.push(await make(join(basePath, '3', 'updates.journal')));
    await look(server);
    assert.deepEqual(states(server)[0]!.slice(0, 2), [3, 'END']);
    assert.match(states(server)[0]![2], new RegExp(`updates\\.journal: expected a file, got a ${kind}`));
    assert.equal(server.registry.models[0]!.newest!.version, 1);
    cpSync(join(basePath, '1', 'model.shortlist'), join(basePath, '4', 'model.shortlist'));
    await look(server);
    assert.deepEqual(states(server)[0], [4, 'AVAILABLE', '']);
    for (const close of takenAway) close();
    await server.close();
  });
}

test('a folder that may not be written is served, without updates and with the reason', {
  skip: process.getuid?.() === 0 && 'root may write everywhere (test/slow mounts a read-only disk)',
}, async () => {
  const basePath = await tinyBasePath();
  chmodSync(join(basePath, '1'), 0o555);
  const server = await startTiny(basePath);
  assert.equal((await post(server, '/v1/shortlist', { query: 'u1' })).status, 200);
  const update = { candidates: [{ id: 'a', embedding: [1, 2, 3, 4] }] };
  const { status, body } = await post(server, '/v1/candidates/upsert', update);
  assert.equal(status, 400);
  assert.match((body as { error: string }).error, /accepts no updates: its folder cannot be written \(EACCES\)/);
  await server.close();
  chmodSync(join(basePath, '1'), 0o755);
});

test('a journal that may not be written: the reason shows no path of the machine', {
  skip: process.getuid?.() === 0 && 'root may write every file',
}, async () => {
  const basePath = await tinyBasePath();
  writeFileSync(join(basePath, '1', 'updates.journal'), '', { mode: 0o444 });
  const server = await startTiny(basePath);
  const update = { candidates: [{ id: 'a', embedding: [1, 2, 3, 4] }] };
  const { status, body } = await post(server, '/v1/candidates/upsert', update);
  assert.equal(status, 400);
  assert.match((body as { error: string }).error, /accepts no updates: EACCES: permission denied, open '1\/updates/);
  await server.close();
});

test('a folder without versions is said once, not at every look; one that comes is served', async () => {
  const basePath = mkdtempSync(join(tmpdir(), 'shortlist-none-'));
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
  const server = await startTiny(basePath, { logger, pollMs: 5 });
  const said = (): number => lines.filter((line) => line.includes('there is no version')).length;
  assert.equal(said(), 1);
  const { status, body } = await post(server, '/v1/shortlist', { query: 'u1' });
  assert.deepEqual([status, (body as { error: string }).error], [404, 'Servable not found for request: Latest(films)']);
  await saveTinyBundle(join(basePath, '.new'));
  renameSync(join(basePath, '.new'), join(basePath, '1'));
  await look(server);
  assert.equal(server.isReady, true);
  assert.equal(said(), 1);
  await server.close();
  rmSync(basePath, { recursive: true });
});
