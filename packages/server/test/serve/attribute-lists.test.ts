/** Lists and dates of candidates: in a bundle, over REST and gRPC, in filters, after a restart and after compaction. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { loadBundle } from 'shortlist/node';
import { serviceOf } from '../../src/grpc/definitions.ts';
import type { Filter, ShortlistServer } from '../../src/index.ts';
import { post, startTiny } from '../fixtures/tiny-bundle.ts';
import { typedBasePath } from '../fixtures/typed-bundle.ts';

const embedding = [1, 0];
type Shown = Readonly<Record<string, { genres?: unknown; released?: unknown }>>;

/** The attributes of the candidates that pass a filter, by identifier. */
async function shown(server: ShortlistServer, filter?: Filter, more: readonly string[] = []): Promise<Shown> {
  const attributes = ['genres', 'released', ...more];
  const { status, body } = await post(server, '/v1/shortlist', { embedding, attributes, ...(filter && { filter }) });
  assert.equal(status, 200, JSON.stringify(body));
  const { results } = body as { results: { id: string; score: number; genres?: unknown; released?: unknown }[] };
  return Object.fromEntries(results.map(({ id, score: _, ...attributes }) => [id, attributes]));
}

function upsertOverGrpc(server: ShortlistServer, candidates: readonly object[]): Promise<unknown> {
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = serviceOf('shortlist.v1.CandidateService').Upsert!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { candidates }, (error, answer) => {
      client.close();
      if (error) reject(error);
      else resolve(answer);
    });
  });
}

test('a filter matches any value of a list, and dates by range; answers show both', async () => {
  const server = await startTiny(await typedBasePath());
  const all = await shown(server);
  assert.deepEqual(all.film0, { genres: ['comedy', 'war'], released: '1999-12-31' });
  assert.deepEqual(all.film4, { genres: [], released: '2020-01-01' });
  const ids = async (filter: Filter): Promise<string[]> => Object.keys(await shown(server, filter));
  assert.deepEqual(await ids({ equals: { genres: 'war' } }), ['film0', 'film3']);
  assert.deepEqual(await ids({ in: { genres: ['comedy', 'drama'] } }), ['film0', 'film1', 'film3']);
  assert.deepEqual(await ids({ not: { equals: { genres: 'war' } } }), ['film1', 'film2', 'film4']);
  assert.deepEqual(await ids({ range: { released: { gte: '2000-01-01', lt: '2020-01-01' } } }), ['film1', 'film2']);
  assert.deepEqual(await ids({ range: { released: { lt: 946_728_000 } } }), ['film0']);
  const { status, body } = await post(server, '/v1/shortlist', { embedding, filter: { equals: { genres: 5 } } });
  assert.deepEqual(
    [status, (body as { error: string }).error],
    [400, "filter.equals.genres: expected a value of the attribute's lists, which are of text, got 5"],
  );
  await server.close();
});

test('updates of lists and dates outlive a restart and a compaction', async () => {
  const path = await typedBasePath();
  let server = await startTiny(path, { grpcPort: 0 });
  const rest = await post(server, '/v1/candidates/upsert', {
    candidates: [
      { id: 'film1', embedding: [1, 0], attributes: { genres: ['war', 'war'], tags: [3, 'x'] } },
      { id: 'new', embedding: [1, 0], attributes: { released: '2021-06-01T10:00:00+02:00' } },
    ],
  });
  assert.equal(rest.status, 200, JSON.stringify(rest.body));
  const list = { list: { values: [{ text: 'comedy' }] } };
  const day = { number: Date.UTC(2022, 0, 1) };
  await upsertOverGrpc(server, [
    { id: { text: 'film2' }, embedding: [1, 0], attributes: { genres: list, released: day } },
    { id: { text: 'film3' }, embedding: [1, 0], attributes: { genres: {} } },
  ]);
  const nested = { list: { values: [{ list: { values: [] } }] } };
  await assert.rejects(
    upsertOverGrpc(server, [{ id: { text: 'film2' }, embedding: [1, 0], attributes: { genres: nested } }]),
    /^.*candidates\[0\]\.attributes\.genres: expected text, a finite number, a boolean, or a list of text and numbers/,
  );
  const place = 'candidates[0].attributes.';
  for (const [attributes, message] of [
    [{ genres: 'war' }, 'genres: expected a list, got "war"'],
    [{ released: 'soon' }, 'released: expected a date as ISO 8601 writes it, got "soon"'],
  ] as const) {
    const refused = await post(server, '/v1/candidates/upsert', { candidates: [{ id: 'a', embedding, attributes }] });
    assert.deepEqual([refused.status, (refused.body as { error: string }).error], [400, place + message]);
  }
  const expected = {
    film0: { genres: ['comedy', 'war'], released: '1999-12-31' },
    film1: { genres: ['war', 'war'], released: '2000-01-01T12:00:00.000Z', tags: [3, 'x'] },
    film2: { genres: ['comedy'], released: '2022-01-01' },
    film3: {},
    film4: { genres: [], released: '2020-01-01' },
    new: { released: '2021-06-01T08:00:00.000Z' },
  };
  assert.deepEqual(await shown(server, undefined, ['tags']), expected);
  await server.close();
  server = await startTiny(path);
  assert.deepEqual(await shown(server, undefined, ['tags']), expected);
  const { status } = await post(server, '/admin/models/films/compact', {});
  assert.equal(status, 200);
  assert.deepEqual(await shown(server, undefined, ['tags']), expected);
  assert.deepEqual(Object.keys(await shown(server, { range: { released: { gt: '2021-01-01' } } })).sort(), [
    'film2',
    'new',
  ]);
  await server.close();
  const { metadata } = await loadBundle(join(path, '2', 'model.shortlist'));
  assert.deepEqual(metadata.attributeKinds, {
    ...{ title: 'text', genres: 'list', released: 'date', rating: 'number', inStock: 'boolean', tags: 'list' },
  });
});
