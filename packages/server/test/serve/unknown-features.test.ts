/** A query whose feature no vocabulary has: the answer says which, and a metric counts it, whatever the protocol. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BruteForce, Tower } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import type { ShortlistServer } from '../../src/index.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

async function unknownOf(server: ShortlistServer, request: object): Promise<unknown> {
  const { status, body } = await post(server, '/v1/shortlist', request);
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { unknown?: string[] }).unknown;
}

async function counted(server: ShortlistServer, feature: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text();
  const line = new RegExp(`^shortlist_unknown_features_total\\{[^}]*feature="${feature}"[^}]*\\} (\\d+)`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}

test('a plain feature', async () => {
  const server = await startTiny(await tinyBasePath());
  assert.equal(await unknownOf(server, { query: 'u1' }), undefined);
  assert.equal(await unknownOf(server, { embedding: [1, 0, 0, 0] }), undefined);
  assert.equal(await counted(server, 'query'), 0);
  for (const query of ['nobody', '', 'toString', '__proto__']) {
    assert.deepEqual(await unknownOf(server, { query }), ['query']);
  }
  assert.equal(await counted(server, 'query'), 4);
  const instances = ['u1', 'nobody', 'nobody'];
  assert.equal((await post(server, '/v1/models/films:predict', { instances })).status, 200);
  assert.equal(await counted(server, 'query'), 6);
  const inputs = [{ name: 'query', shape: [1], datatype: 'BYTES', data: ['nobody'] }];
  assert.equal((await post(server, '/v2/models/films/infer', { inputs })).status, 200);
  assert.equal(await counted(server, 'query'), 7);
  await server.close();
});

test('named features, one of them called like an inherited property', async () => {
  const basePath = mkdtempSync(join(tmpdir(), 'shortlist-unknown-'));
  mkdirSync(join(basePath, '1'));
  const features = {
    user: { vocabulary: ['u1'], dimensions: 2 },
    toString: { vocabulary: ['t1'], dimensions: 2 },
  };
  const queryModel = Tower.create({ features } as never);
  const index = new BruteForce({ queryModel } as never);
  index.index([Float32Array.of(1, 0, 0, 0), Float32Array.of(0, 1, 0, 0)], ['a', 'b'] as never);
  await saveBundle(join(basePath, '1', 'm.shortlist'), { index } as never);
  const server = await startTiny(basePath);
  assert.equal(server.isReady, true, server.registry.models[0]!.records[0]?.errorMessage);
  assert.equal(await unknownOf(server, { query: { user: 'u1', toString: 't1' } }), undefined);
  assert.deepEqual(await unknownOf(server, { query: { user: 'u2', toString: 't1' } }), ['user']);
  assert.deepEqual(await unknownOf(server, { query: { user: '', toString: '' } }), ['user', 'toString']);
  const { status, body } = await post(server, '/v1/shortlist', { query: { user: 'u1' } });
  assert.deepEqual([status, (body as { error: string }).error], [400, 'query.toString: expected a string']);
  const wrong = await post(server, '/v1/shortlist', { query: { usr: 'u1', toString: 't1' } });
  assert.match((wrong.body as { error: string }).error, /query\.usr: unknown feature, did you mean 'user'\?/);
  await server.close();
});
