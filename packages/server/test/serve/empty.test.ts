/** An index without candidates is served, compacted, rebalanced and saved like any other, and takes updates. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BruteForce, type Identifier, ScaNN } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import type { ShortlistServer } from '../../src/index.ts';
import { bothIndexes, FILMS, post, startTiny } from '../fixtures/tiny-bundle.ts';

const EVERYTHING = Array.from({ length: FILMS }, (_, i) => `film${i}`);

async function ok(server: ShortlistServer, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await post(server, path, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as Record<string, unknown>;
}

async function candidates(server: ShortlistServer, model: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${server.httpPort}/admin/models/${model}`);
  return ((await response.json()) as { versions: [{ candidates: number }] }).versions[0].candidates;
}

async function checkEmpty(server: ShortlistServer, model: string): Promise<void> {
  assert.equal(server.isReady, true);
  assert.equal(await candidates(server, model), 0);
  const filter = { equals: { genre: 'drama' } };
  for (const request of [{ query: 'u1' }, { embedding: [1, 0, 0, 0], k: 7 }, { query: 'u2', exclude: ['film1'] }]) {
    assert.deepEqual((await ok(server, '/v1/shortlist', { model, ...request })).results, []);
  }
  assert.deepEqual((await ok(server, '/v1/shortlist', { model, query: 'u1', filter })).results, []);
  const { predictions } = await ok(server, `/v1/models/${model}:predict`, { instances: ['u1', 'u2'] });
  assert.deepEqual(predictions, [
    { identifiers: [], scores: [] },
    { identifiers: [], scores: [] },
  ]);
  const inputs = [{ name: 'query', shape: [1], datatype: 'BYTES', data: ['u1'] }];
  const { outputs } = await ok(server, `/v2/models/${model}/infer`, { inputs });
  assert.deepEqual(
    (outputs as { name: string; shape: number[]; data: unknown[] }[]).map(({ shape, data }) => [shape, data]),
    [
      [[1, 0], []],
      [[1, 0], []],
    ],
  );
}

for (const processes of [1, 2]) {
  const many = processes === 1 ? 'one process' : 'two processes';
  test(`BruteForce and ScaNN in ${many}: everything deleted, compacted, served again, filled again`, async () => {
    const models = await bothIndexes();
    let server = await startTiny('', { models, processes });
    for (const { name: model } of models) {
      await ok(server, '/v1/candidates/delete', { model, ids: EVERYTHING });
      await checkEmpty(server, model);
      await ok(server, `/admin/models/${model}/compact`, {});
      assert.equal(server.registry.find(model).newest!.version, 2);
      await checkEmpty(server, model);
    }
    await ok(server, '/admin/models/leaves/rebalance', {});
    await checkEmpty(server, 'leaves');
    await server.close();
    server = await startTiny('', { models, processes });
    const attributes = { genre: 'drama', year: 2000 };
    const upserted = [{ id: 'new', embedding: [1, 2, 3, 4], attributes }];
    for (const { name: model } of models) {
      await checkEmpty(server, model);
      await ok(server, '/v1/candidates/upsert', { model, candidates: upserted });
      const question = { model, query: 'u1', filter: { equals: { genre: 'drama' } } };
      const { results } = await ok(server, '/v1/shortlist', question);
      assert.deepEqual(
        (results as { id: string; year: number }[]).map(({ id, year }) => [id, year]),
        [['new', 2000]],
      );
    }
    await server.close();
    // One process reads the same files as two.
    server = await startTiny('', { models });
    for (const { name } of models) assert.equal(await candidates(server, name), 1);
    await server.close();
  });
}

const IDENTIFIERS: Readonly<Record<string, Identifier[]>> = {
  text: ['a', 'b', 'c'],
  numbers: [5, 6, 7],
  bigints: [2n ** 60n, 2n ** 61n, 3n],
};

for (const [kind, identifiers] of Object.entries(IDENTIFIERS)) {
  for (const scann of [false, true]) {
    test(`a bundle of the library without candidates, ${kind}, ${scann ? 'ScaNN' : 'BruteForce'}: served, identifiers keep their type`, async () => {
      const basePath = mkdtempSync(join(tmpdir(), 'shortlist-empty-'));
      mkdirSync(join(basePath, '1'));
      const index = scann ? new ScaNN<never, Identifier>() : new BruteForce<never, Identifier>();
      index.index([Float32Array.of(1, 0), Float32Array.of(0, 1), Float32Array.of(1, 1)], identifiers as never);
      index.delete(identifiers);
      await saveBundle(join(basePath, '1', 'm.shortlist'), { index } as never);
      const server = await startTiny(basePath);
      assert.equal(server.isReady, true, server.registry.models[0]!.records[0]?.errorMessage);
      assert.deepEqual((await ok(server, '/v1/shortlist', { embedding: [1, 1] })).results, []);
      const id = kind === 'text' ? 'z' : 9;
      assert.equal(
        (await post(server, '/v1/candidates/upsert', { candidates: [{ id: 'x9', embedding: [1, 1] }] })).status,
        kind === 'text' ? 200 : 400,
      );
      await ok(server, '/v1/candidates/upsert', { candidates: [{ id, embedding: [3, 3] }] });
      const { results } = await ok(server, '/v1/shortlist', { embedding: [1, 1], k: 1 });
      assert.deepEqual(
        (results as { id: Identifier }[]).map((hit) => hit.id),
        [id],
      );
      await server.close();
    });
  }
}
