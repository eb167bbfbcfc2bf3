/** Versions whose rows stay in the file: the results of rows in memory, and no updates. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ShortlistServer } from '../../src/index.ts';
import { canaryOptions } from '../../src/serve/settings.ts';
import { fetchUnpooled, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const UPSERT = { candidates: [{ id: 'new', embedding: [1, 0, 0, 0] }] };

async function results(server: ShortlistServer): Promise<unknown[]> {
  const { body } = await post(server, '/v1/shortlist', { query: 'u1', k: 7 });
  return (body as { results: unknown[] }).results;
}

test('queries have the results of rows in memory, in the server and in a replica; updates are refused with the reason', async () => {
  const basePath = await tinyBasePath({ scann: true });
  const inMemory = await startTiny(basePath);
  const expected = await results(inMemory);
  await inMemory.close();
  assert.equal(expected.length, 7);
  const server = await startTiny(basePath, { rows: 'file', rowCacheBytes: 0, processes: 2 });
  for (let i = 0; i < 4; i++) assert.deepEqual(await results(server), expected);
  const { status, body: refusal } = await post(server, '/v1/candidates/upsert', UPSERT);
  assert.equal(status, 400, JSON.stringify(refusal));
  assert.match(JSON.stringify(refusal), /accepts no updates: its rows stay in the file/);
  const snapshot = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}/v1/bundle`);
  const file = readFileSync(join(basePath, '1', 'model.shortlist'));
  assert.deepEqual(Buffer.from(await snapshot.arrayBuffer()), file);
  for (const work of ['compact', 'rebalance']) {
    const { status, body } = await post(server, `/admin/models/films/${work}`, {});
    assert.ok(status >= 400 && status < 500, `${work}: ${status} ${JSON.stringify(body)}`);
  }
  assert.deepEqual(await results(server), expected);
  await server.close();
});

test('a version with updates, and a bundle without such rows, do not load with rows in the file', async () => {
  const basePath = await tinyBasePath({ scann: true });
  const updated = await startTiny(basePath);
  assert.equal((await post(updated, '/v1/candidates/upsert', UPSERT)).status, 200);
  await updated.close();
  for (const [path, reason] of [
    [basePath, /expected no updates for an index whose rows stay in the file, got \d+ bytes/],
    [await tinyBasePath(), /rows: expected .memory. for a bundle without a ScaNN index/],
  ] as const) {
    const server = await startTiny(path, { rows: 'file' });
    assert.equal(server.isReady, false);
    assert.match(server.registry.find('films').records[0]!.errorMessage!, reason);
    await server.close();
  }
});

test('the canary, which reads all rows, is off by default where rows stay in the file', () => {
  const models: [] = [];
  assert.equal(canaryOptions({ models, rows: 'file' }).share, 0);
  assert.equal(canaryOptions({ models, rows: 'file', canaryShare: 0.5 }).share, 0.5);
  assert.equal(canaryOptions({ models }).share, 0.001);
});
