/**
 * The versions that compaction and publishing keep on the disk: none for an unchanged version, otherwise the number to
 * be kept.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeOldVersions } from '../../src/models/retention.ts';
import { until } from '../fixtures/occupied.ts';
import { fetchUnpooled, post, saveTinyBundle, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const candidate = (id: string): object => ({ candidates: [{ id, embedding: [1, 2, 3, 4] }] });
const foldersOf = (basePath: string): string[] => readdirSync(basePath).sort((a, b) => Number(a) - Number(b));

test('compacting a version without updates writes nothing and keeps its number', async () => {
  for (const scann of [false, true]) {
    const basePath = await tinyBasePath({ scann });
    const server = await startTiny(basePath);
    const compact = async (): Promise<number> =>
      ((await post(server, '/admin/models/films/compact', {})).body as { versions: { version: number }[] }).versions[0]!
        .version;
    assert.equal(await compact(), 1);
    assert.deepEqual(foldersOf(basePath), ['1']);
    await post(server, '/v1/candidates/upsert', candidate('new'));
    assert.equal(await compact(), 2);
    assert.equal(await compact(), 2);
    assert.deepEqual(foldersOf(basePath), ['1', '2']);
    await server.close();
  }
});

test('a label goes to the version that a compaction puts in the place of its version', async () => {
  const basePath = await tinyBasePath();
  await saveTinyBundle(join(basePath, '2'));
  const server = await startTiny(basePath, { models: [{ name: 'films', path: basePath, policy: { all: true } }] });
  const label = async (name: string, version: number): Promise<void> => {
    const response = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}/admin/models/films/labels/${name}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ version }),
    });
    assert.equal(response.status, 200, await response.text());
  };
  await label('old', 1);
  await label('stable', 2);
  await post(server, '/v1/candidates/upsert', candidate('new'));
  const { body } = await post(server, '/admin/models/films/compact', {});
  assert.deepEqual((body as { labels: object }).labels, { old: 1, stable: 3 });
  const asked = await post(server, '/v1/shortlist', { query: 'u1', label: 'stable', include: ['new'] });
  const { version, results } = asked.body as { version: number; results: { id: string }[] };
  assert.deepEqual([version, results.map(({ id }) => id)], [3, ['new']]);
  await server.close();
});

test('journal.records counts what is in the journal now', async () => {
  const basePath = await tinyBasePath();
  const records = async (server: Awaited<ReturnType<typeof startTiny>>): Promise<number> => {
    const response = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}/admin/models/films`);
    return ((await response.json()) as { versions: { journal: { records: number } }[] }).versions[0]!.journal.records;
  };
  let server = await startTiny(basePath);
  assert.equal(await records(server), 0);
  for (const id of ['a', 'b', 'c']) await post(server, '/v1/candidates/upsert', candidate(id));
  assert.equal(await records(server), 3);
  await server.close();
  server = await startTiny(basePath);
  assert.equal(await records(server), 3);
  await post(server, '/v1/candidates/delete', { ids: ['a'] });
  assert.equal(await records(server), 4);
  await post(server, '/admin/models/films/compact', {});
  assert.equal(await records(server), 0);
  await server.close();
});

test('keepVersions: older versions are removed, those that serve, have a label or are named by the policy stay', async () => {
  const basePath = await tinyBasePath();
  for (const version of [2, 3, 4, 5, 6]) await saveTinyBundle(join(basePath, String(version)));
  mkdirSync(join(basePath, 'notes'));
  mkdirSync(join(basePath, '9'));
  const models = [{ name: 'films', path: basePath, policy: { specific: [1, 3, 6] }, labels: { stable: 3 } }];
  const server = await startTiny(basePath, { models, keepVersions: 2 });
  // 9 has no bundle: it is newer than what serves, and somebody may be writing it.
  assert.deepEqual(
    foldersOf(basePath).filter((name) => name !== 'notes'),
    ['1', '3', '6', '9'],
  );
  const [model] = server.registry.models;
  await model!.setPolicy({ specific: [6] });
  assert.deepEqual((await removeOldVersions(model!, 1)).sort(), [1, 3]);
  assert.ok(readdirSync(basePath).includes('notes'));
  await server.close();
});

test('keepVersions holds while a server compacts, and nothing is removed without the option', async () => {
  for (const keepVersions of [2, undefined]) {
    const basePath = await tinyBasePath();
    const server = await startTiny(basePath, { pollMs: 20, ...(keepVersions ? { keepVersions } : {}) });
    for (let i = 0; i < 4; i++) {
      await post(server, '/v1/candidates/upsert', candidate(`n${i}`));
      await post(server, '/admin/models/films/compact', {});
    }
    if (keepVersions) await until(() => foldersOf(basePath).join() === '4,5');
    else assert.equal(foldersOf(basePath).join(), '1,2,3,4,5');
    const { body } = await post(server, '/v1/shortlist', {
      embedding: [1, 2, 3, 4],
      k: 4,
      include: ['n0', 'n1', 'n2', 'n3'],
    });
    assert.equal((body as { results: object[] }).results.length, 4);
    await server.close();
  }
});
