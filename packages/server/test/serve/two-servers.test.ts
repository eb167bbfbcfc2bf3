/** Two servers on one folder of versions, as in a rolling restart with overlap: one takes updates, none is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { ShortlistServer } from '../../src/index.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const CHILD = fileURLToPath(new URL('../faults/killed-child.js', import.meta.url));
const embedding = [1, 0, 0, 0];

const upsert = async (server: ShortlistServer, ...ids: string[]): Promise<[number, string]> => {
  const candidates = ids.map((id) => ({ id, embedding }));
  const { status, body } = await post(server, '/v1/candidates/upsert', { candidates });
  return [status, (body as { error?: string }).error ?? ''];
};
const found = async (server: ShortlistServer, ...include: string[]): Promise<string[]> => {
  const { body } = await post(server, '/v1/shortlist', { embedding, include, k: 20 });
  return (body as { results: { id: string }[] }).results.map(({ id }) => id).sort();
};
const look = (server: ShortlistServer): Promise<void> => server.registry.models[0]!.reconcile();

for (const processes of [1, 2]) {
  test(`the second server follows, refuses updates, and takes over when the first has ended (${processes} processes)`, async () => {
    const basePath = await tinyBasePath();
    const first = await startTiny(basePath, { processes });
    assert.equal((await upsert(first, 'a'))[0], 200);
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
    const second = await startTiny(basePath, { processes, logger });
    assert.equal(second.isReady, true);
    assert.match(lines.join(''), /this version is served without updates/);
    const [status, error] = await upsert(second, 'b');
    assert.equal(status, 503);
    assert.match(
      error,
      /accepts no updates here: another server \(host .*, process \d+, since .*\) accepts its updates/,
    );
    assert.equal((await post(second, '/admin/models/films/compact', {})).status, 503);
    assert.equal((await upsert(first, 'c'))[0], 200);
    await look(second);
    for (let i = 0; i < processes; i++) assert.deepEqual(await found(second, 'a', 'b', 'c'), ['a', 'c']);
    assert.equal((await upsert(first, 'd', 'e'))[0], 200);
    await first.close();
    await look(second);
    assert.equal((await upsert(second, 'f'))[0], 200);
    for (let i = 0; i < processes; i++) {
      assert.deepEqual(await found(second, 'a', 'c', 'd', 'e', 'f'), ['a', 'c', 'd', 'e', 'f']);
    }
    assert.match(lines.join(''), /this version accepts updates now/);
    await second.close();
    const third = await startTiny(basePath);
    assert.deepEqual(await found(third, 'a', 'b', 'c', 'd', 'e', 'f'), ['a', 'c', 'd', 'e', 'f']);
    await third.close();
    assert.equal(existsSync(join(basePath, '1', 'updates.lock')), false);
  });
}

test('the second follows a compaction of the first, and leaves its unfinished folder alone', async () => {
  const basePath = await tinyBasePath();
  const first = await startTiny(basePath);
  await upsert(first, 'a');
  const second = await startTiny(basePath);
  assert.equal((await post(first, '/admin/models/films/compact', {})).status, 200);
  await upsert(first, 'b');
  await look(second);
  assert.equal(second.registry.models[0]!.newest!.version, 2);
  assert.deepEqual(await found(second, 'a', 'b'), ['a', 'b']);
  assert.equal((await upsert(second, 'c'))[0], 503);
  await first.close();
  await look(second);
  assert.equal((await upsert(second, 'c'))[0], 200);
  await second.close();
});

test('the folder that the second follows is removed or replaced: it says so, and goes on to the next version', async () => {
  for (const isReplaced of [false, true]) {
    const basePath = await tinyBasePath();
    const folder = join(basePath, '1');
    const first = await startTiny(basePath);
    await upsert(first, 'a');
    const second = await startTiny(basePath);
    renameSync(folder, `${folder}.old`);
    if (isReplaced) cpSync(join(await tinyBasePath(), '1'), folder, { recursive: true });
    await look(second);
    const happened = isReplaced ? /its folder was replaced/ : /its folder was removed or moved/;
    assert.match((await upsert(second, 'b'))[1], happened);
    assert.equal(existsSync(join(folder, 'updates.journal')), false);
    assert.deepEqual(await found(second, 'a', 'b'), ['a']);
    cpSync(join(await tinyBasePath(), '1'), join(basePath, '2'), { recursive: true });
    await look(second);
    assert.equal(second.registry.models[0]!.newest!.version, 2);
    assert.equal((await upsert(second, 'c'))[0], 200);
    await second.close();
    await first.close();
  }
});

test('a journal that cannot be taken over does not keep the next version from being served', async () => {
  const basePath = await tinyBasePath();
  const first = await startTiny(basePath);
  await upsert(first, 'a');
  await upsert(first, 'b');
  const second = await startTiny(basePath, { journalDamage: 'refuse' });
  await first.close();
  const journal = join(basePath, '1', 'updates.journal');
  const bytes = readFileSync(journal);
  bytes[30]! ^= 1;
  writeFileSync(journal, bytes);
  await assert.rejects(look(second), /damaged/);
  cpSync(join(await tinyBasePath(), '1'), join(basePath, '2'), { recursive: true });
  await assert.rejects(look(second), /damaged/);
  assert.equal(second.registry.models[0]!.newest!.version, 2);
  await look(second);
  assert.equal((await upsert(second, 'c'))[0], 200);
  await second.close();
});

test('by option the second waits: it is ready when the first has ended', async () => {
  const basePath = await tinyBasePath();
  const first = await startTiny(basePath);
  await upsert(first, 'a');
  const second = await startTiny(basePath, { whenLocked: 'wait' });
  assert.equal(second.isReady, false);
  assert.match(second.registry.models[0]!.records[0]!.errorMessage, /does not serve yet: another server/);
  await look(second);
  assert.equal(second.isReady, false);
  await first.close();
  await look(second);
  assert.equal(second.isReady, true);
  assert.deepEqual(await found(second, 'a'), ['a']);
  await second.close();
});

test('a server that was killed leaves a lock that the next one takes over, with a word in the log', async () => {
  const basePath = await tinyBasePath();
  const child = spawn(process.execPath, [CHILD, basePath], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
  assert.ok(existsSync(join(basePath, '1', 'updates.lock')));
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
  const server = await startTiny(basePath, { logger });
  assert.match(lines.join(''), /"why":"its process has ended".*took over the lock of a journal, which was stale/);
  assert.equal((await upsert(server, 'a'))[0], 200);
  await server.close();
});

test('a damaged journal is said in log, status and metrics, or by option refused', async () => {
  const basePath = await tinyBasePath();
  let server = await startTiny(basePath);
  for (let i = 0; i < 20; i++) await upsert(server, `n${i}`);
  await server.close();
  const path = join(basePath, '1', 'updates.journal');
  const bytes = readFileSync(path);
  bytes[Math.floor(bytes.length * 0.3)]! ^= 1;
  writeFileSync(path, bytes);
  server = await startTiny(basePath, { journalDamage: 'refuse' });
  assert.equal(server.isReady, false);
  assert.match(server.registry.models[0]!.records[0]!.errorMessage, /damaged: a record has a wrong checksum/);
  await server.close();
  const lines: string[] = [];
  server = await startTiny(basePath, {
    logger: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }),
  });
  assert.match(lines.join(''), /"recordsBehind":1\d.*the journal is damaged: updates are lost; a copy of it was kept/);
  assert.equal((await found(server, ...Array.from({ length: 20 }, (_, i) => `n${i}`))).length, 19);
  const url = `http://127.0.0.1:${server.httpPort}`;
  const state = await (await fetch(`${url}/admin/models/films`)).json();
  const { journal } = (state as { versions: [{ journal: { records: number; damage: { copy: string } } }] }).versions[0];
  assert.deepEqual([journal.records, journal.damage.copy], [19, 'updates.journal.damaged-1']);
  assert.deepEqual(readFileSync(join(basePath, '1', journal.damage.copy)), bytes);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /^shortlist_journal_damaged_bytes\{model_name="films",version="1"\} [1-9]\d*$/m);
  assert.match(metrics, /^shortlist_journal_records\{model_name="films",version="1"\} 19$/m);
  await server.close();
});
