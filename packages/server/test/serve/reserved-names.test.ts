/**
 * Nothing of a request or a bundle is ignored without a word: settings without effect on an exact index, attributes with
 * the names of a result's own fields, and text that is not Unicode.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { pino } from 'pino';
import { BruteForce } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const lines: string[] = [];
const basePath = mkdtempSync(join(tmpdir(), 'shortlist-reserved-'));
mkdirSync(join(basePath, '1'));
const index = new BruteForce<string, string>({ k: 2 });
index.index([Float32Array.of(1, 0), Float32Array.of(0, 1)], ['a', 'b']);
const attributes = {
  id: ['tt1', 'tt2'],
  score: [9, 8],
  identifiers: ['x', 'y'],
  title: ['half \ud83d', '😀'],
  tags: [['ok'], ['\udc00', 1]],
};
await saveBundle(join(basePath, '1', 'model.shortlist'), { index, metadata: { attributes } } as never);
const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
const server = await startTiny(basePath, { grpcPort: 0, logger });
const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
after(async () => {
  client.close();
  await server.close();
});

/** A call of the candidate service; the response as it is decoded, and as bytes. */
function call(method: string, request: object): Promise<{ message: Record<string, never>; bytes: Buffer }> {
  const { path, requestSerialize, responseDeserialize } = serviceOf('shortlist.v1.CandidateService')[method]!;
  const keep = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest(path, requestSerialize, keep, request, new Metadata(), (error, bytes) =>
      error ? reject(error) : resolve({ bytes: bytes!, message: responseDeserialize(bytes!) as Record<string, never> }),
    ),
  );
}

const errorOf = async (path: string, body: object): Promise<string> => {
  const { status, body: answer } = await post(server, path, body);
  assert.equal(status, 400);
  return (answer as { error: string }).error;
};

test('leavesToSearch and reorder: an exact model says that it ignored them, one with leaves does not', async () => {
  const answer = async (on: typeof server, path: string, body: object): Promise<unknown> =>
    ((await post(on, path, body)).body as { ignored?: string[] }).ignored;
  const [leavesToSearch, reorder] = [2, 3];
  const query = { embedding: [1, 0] };
  assert.deepEqual(await answer(server, '/v1/shortlist', { ...query, leavesToSearch, reorder }), [
    'leavesToSearch',
    'reorder',
  ]);
  assert.deepEqual(await answer(server, '/v1/similar', { ids: ['a'], reorder }), ['reorder']);
  assert.equal(await answer(server, '/v1/shortlist', query), undefined);
  const similar = await call('Similar', { ids: [{ text: 'a' }], leaves_to_search: 2 });
  assert.deepEqual(similar.message.ignored, ['leaves_to_search']);
  const leaves = await startTiny(await tinyBasePath({ scann: true }));
  assert.equal(await answer(leaves, '/v1/shortlist', { query: 'u1', leavesToSearch, reorder }), undefined);
  await leaves.close();
});

test('a new attribute of a reserved name is refused with the reason; one of the bundle is updated', async () => {
  const candidate = { id: 'c', embedding: [1, 1] };
  const error = await errorOf('/v1/candidates/upsert', {
    candidates: [{ ...candidate, attributes: { scores: 1 } }],
  });
  assert.match(
    error,
    /^candidates\[0\]\.attributes\.scores: expected another name, TF Serving's .* have an output 'scores' of their own$/,
  );
  const message = { ...candidate, id: { text: 'c' }, attributes: { unknown_items: { number: 1 } } };
  await assert.rejects(call('Upsert', { candidates: [message] }), (refused: ServiceError) => {
    assert.match(refused.details, /^candidates\[0\]\.attributes\.unknown_items: expected another name/);
    return true;
  });
  const known = { candidates: [{ ...candidate, id: 'b', embedding: [0, 1], attributes: { score: 7 } }] };
  assert.equal((await post(server, '/v1/candidates/upsert', known)).status, 200);
});

test('attributes called id and score: filters use them, gRPC shows them, plain JSON says why it does not', async () => {
  const { body } = await post(server, '/v1/shortlist', { embedding: [1, 0], filter: { equals: { id: 'tt1' } } });
  const [{ id, score }] = (body as { results: [{ id: string; score: number }] }).results;
  assert.deepEqual([id, score], ['a', 1]);
  assert.equal(
    await errorOf('/v1/shortlist', { embedding: [1, 0], attributes: ['title', 'id'] }),
    "attributes[1]: expected an attribute, got 'id', a field that every result has",
  );
  const { message } = await call('Similar', { embedding: [1, 0], attributes: ['id', 'score'], k: 1 });
  const [hit] = message.results as unknown as [{ attributes: Record<string, { text: string; number: number }> }];
  assert.equal(hit.attributes.id!.text, 'tt1');
  assert.equal(hit.attributes.score!.number, 9);
  for (const name of ['id', 'score', 'identifiers']) {
    assert.equal(lines.filter((line) => line.includes(`the attribute '${name}' is not shown everywhere`)).length, 1);
  }
});

test('lone surrogates of a bundle become U+FFFD, the log says how many, and every protocol sends Unicode', async () => {
  const { bytes, message } = await call('Similar', { embedding: [1, 0], k: 2 });
  const hits = message.results as unknown as { attributes: Record<string, Record<string, unknown>> }[];
  assert.deepEqual(
    hits.map((hit) => hit.attributes.title!.text),
    ['half \ufffd', '😀'],
  );
  assert.ok(bytes.includes(Buffer.from('half \ufffd')));
  const { body } = await post(server, '/v1/shortlist', { embedding: [0, 1], k: 1 });
  assert.deepEqual((body as { results: { tags: unknown }[] }).results[0]!.tags, ['\ufffd', 1]);
  for (const name of ['title', 'tags']) {
    assert.match(lines.join(''), new RegExp(`the attribute '${name}' has lone surrogates in 1 of its values`));
  }
});
