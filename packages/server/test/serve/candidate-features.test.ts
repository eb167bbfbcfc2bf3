/** New candidates by their raw features: over every protocol, found by the next query, durable, in every process. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { BruteForce, type Features, type Identifier, Tower } from 'shortlist';
import { loadBundle, saveBundle } from 'shortlist/node';
import { createClient } from '../../src/client/index.ts';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

// biome-ignore lint/suspicious/noExplicitAny: messages are read as a client without types reads them
type Message = any;
type Server = Awaited<ReturnType<typeof startTiny>>;

const GENRES = ['comedy', 'drama', 'horror'];
const DECADES = ['1980s', '1990s', '2000s'];
const films = GENRES.flatMap((genre) => DECADES.map((decade) => ({ toString: genre, decade })));

/** A base path whose bundle has a candidate tower of two features, one of them called toString. */
async function basePathOf<I extends Identifier>(ids: readonly I[]): Promise<{ path: string; tower: Tower<never> }> {
  const tower = Tower.create({
    features: { toString: { vocabulary: GENRES, dimensions: 2 }, decade: { vocabulary: DECADES, dimensions: 2 } },
    dense: [4],
    seed: 3,
  } as never) as Tower<never>;
  const queryModel = Tower.create({ vocabulary: ['u0', 'u1'], dimensions: 4 });
  const index = new BruteForce<string, I>({ queryModel, k: 3 }).index(tower.embed(films as never[]), ids);
  const path = mkdtempSync(join(tmpdir(), 'shortlist-candidates-'));
  mkdirSync(join(path, '1'));
  await saveBundle(join(path, '1', 'model.shortlist'), { index, candidateTower: tower });
  return { path, tower };
}
const names = films.map((_, i) => `film${i}`);

async function upsert(server: Server, candidates: readonly object[]): Promise<Message> {
  const { status, body } = await post(server, '/v1/candidates/upsert', { candidates });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** The score of a candidate for its own vector: |x|², if its vector is x. */
async function scoreOf(server: Server, id: string, embedding: readonly number[]): Promise<number | undefined> {
  const { body } = await post(server, '/v1/shortlist', { embedding, k: 100 });
  return (body as Message).results.find((hit: Message) => String(hit.id) === id)?.score;
}

const { path, tower } = await basePathOf(names);
const vectorOf = (features: Features): number[] => [...tower.embed([features] as never[]).row(0)];
const squareOf = (vector: readonly number[]): number => vector.reduce((sum, x) => sum + x * x, 0);
async function assertFound(server: Server, id: string, features: Features): Promise<void> {
  const vector = vectorOf(features);
  const score = await scoreOf(server, id, vector);
  assert.ok(score !== undefined && Math.abs(score - squareOf(vector)) < 1e-5, `${id}: ${score}`);
}

test('a new candidate is found by the next query; unknown values are said; after a restart and a compaction', async () => {
  let server = await startTiny(path);
  const horror = { toString: 'horror', decade: '1990s' };
  const answer = await upsert(server, [
    { id: 'new', features: horror, attributes: { title: 'Scream' } },
    { id: 'odd', features: { toString: 'western', decade: '2010s' } },
    { id: 'half', features: { toString: 'drama', decade: '2010s' } },
    { id: 'film0', embedding: [9, 0, 0, 0] },
  ]);
  assert.deepEqual(
    [answer.acknowledged, answer.unknown],
    [
      4,
      [
        { id: 'odd', features: ['toString', 'decade'] },
        { id: 'half', features: ['decade'] },
      ],
    ],
  );
  const check = async (): Promise<void> => {
    await assertFound(server, 'new', horror);
    await assertFound(server, 'odd', { toString: 'western', decade: '2010s' });
    await assertFound(server, 'half', { toString: 'drama', decade: '2010s' });
    const { body } = await post(server, '/v1/shortlist', { query: 'u1', include: ['new'] });
    assert.equal((body as Message).results[0].title, 'Scream');
  };
  await check();
  await server.close();
  server = await startTiny(path);
  await check();
  assert.equal((await post(server, '/admin/models/films/compact', {})).status, 200);
  await check();
  const { candidateTower } = await loadBundle(join(path, '2', 'model.shortlist'));
  assert.deepEqual([...candidateTower!.embed([horror]).row(0)], vectorOf(horror));
  // The tower of the new version takes further ones.
  await upsert(server, [{ id: 'newer', features: { toString: 'comedy', decade: '1980s' } }]);
  await assertFound(server, 'newer', { toString: 'comedy', decade: '1980s' });
  await server.close();
});

test('the client, gRPC and the signature embed_candidate; every process', async () => {
  const { path: basePath, tower: own } = await basePathOf(names);
  const server = await startTiny(basePath, { grpcPort: 0, processes: 2 });
  const grpcClient = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  after(async () => {
    grpcClient.close();
    await server.close();
  });
  const features = { toString: 'drama', decade: 'none' };
  const client = createClient({ url: `http://127.0.0.1:${server.httpPort}` });
  const said = await client.upsert([{ id: 'by client', features }]);
  assert.deepEqual(said.unknown, [{ id: 'by client', features: ['decade'] }]);
  const { path: method, requestSerialize, responseDeserialize } = serviceOf('shortlist.v1.CandidateService').Upsert!;
  const grpc = (candidates: object[]): Promise<Message> =>
    new Promise((resolve, reject) => {
      grpcClient.makeUnaryRequest(method, requestSerialize, responseDeserialize, { candidates }, (error, message) =>
        error ? reject(error) : resolve(message),
      );
    });
  const answer = await grpc([{ id: { text: 'by grpc' }, features }]);
  assert.deepEqual(
    answer.unknown.map(({ id, features: unknown }: Message) => [id.text, unknown]),
    [['by grpc', ['decade']]],
  );
  await assert.rejects(grpc([{ id: { text: 'x' } }]), { code: 3 });
  const vector = [...own.embed([features] as never[]).row(0)];
  for (let i = 0; i < 4; i++) {
    for (const id of ['by client', 'by grpc']) {
      const score = await scoreOf(server, id, vector);
      assert.ok(score !== undefined && Math.abs(score - squareOf(vector)) < 1e-5, `${id}: ${score}`);
    }
  }
  const { body } = await post(server, '/v1/models/films:predict', {
    signature_name: 'embed_candidate',
    instances: [features],
  });
  assert.deepEqual((body as Message).predictions[0].map(Math.fround), vector);
});

test('what is wrong is refused by name, and nothing of the request is applied', async () => {
  const { path: basePath } = await basePathOf(films.map((_, i) => 2n ** 60n + BigInt(i)));
  const server = await startTiny(basePath);
  const good = { id: 1, features: { toString: 'drama', decade: '1990s' } };
  const refused: readonly [object, RegExp][] = [
    [{ id: 2 }, /candidates\[1\]\.embedding: expected embedding or features/],
    [
      { id: 2, features: good.features, embedding: [1, 2, 3, 4] },
      /candidates\[1\]\.embedding: expected embedding or features/,
    ],
    [{ id: 2, features: { decade: '1990s' } }, /features\.toString: expected a string/],
    [
      { id: 2, features: { ...good.features, decades: 'x' } },
      /features\.decades: unknown feature.*did you mean .?decade/,
    ],
    [{ id: 2, features: { toString: 'drama', decade: 1990 } }, /features\.decade: expected a string/],
    [{ id: 2, features: 'drama' }, /features: expected an object with toString, decade/],
    [{ id: 2, features: null }, /features/],
  ];
  for (const [candidate, message] of refused) {
    const answer = await post(server, '/v1/candidates/upsert', { candidates: [good, candidate] });
    assert.equal(answer.status, 400, JSON.stringify(candidate));
    assert.match(JSON.stringify(answer.body), message);
  }
  assert.equal((await post(server, '/v1/similar', { ids: [1] })).status, 404);
  const id = String(2n ** 62n);
  const answer = await upsert(server, [{ id, features: { toString: 'none', decade: '1990s' } }]);
  assert.deepEqual(answer.unknown, [{ id, features: ['toString'] }]);
  assert.equal((await post(server, '/v1/similar', { ids: [id] })).status, 200);
  await server.close();
});

test('a bundle without a candidate tower says so, and takes embeddings', async () => {
  const server = await startTiny(await tinyBasePath());
  const { status, body } = await post(server, '/v1/candidates/upsert', { candidates: [{ id: 'x', features: 'x' }] });
  assert.deepEqual(
    [status, (body as Message).error],
    [400, 'candidates[0].features: this bundle has no candidate tower, send an embedding'],
  );
  await upsert(server, [{ id: 'x', embedding: [1, 2, 3, 4] }]);
  await server.close();
});
