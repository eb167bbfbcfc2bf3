/** Similar candidates over every protocol, beside the library's own answer; updates, filters, integers, several processes. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { BruteForce, similar, Tower } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { createClient, ShortlistRequestError } from '../../src/client/index.ts';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { FILMS, fetchUnpooled, filmVectors, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

// biome-ignore lint/suspicious/noExplicitAny: messages are read as a client without types reads them
type Message = any;

const films = Array.from({ length: FILMS }, (_, i) => `film${i}`);
const reference = new BruteForce<ArrayLike<number>, string>().index(filmVectors(), films);
const expected = (to: string | string[], options: object = { k: 5 }): string[] =>
  similar(reference, to, options).identifiers();

const server = await startTiny(await tinyBasePath(), { grpcPort: 0 });
const grpcClient = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
after(async () => {
  grpcClient.close();
  await server.close();
});

function grpc(service: string, method: string, request: object): Promise<Message> {
  const { path, requestSerialize, responseDeserialize } = serviceOf(service)[method]!;
  return new Promise((resolve, reject) => {
    grpcClient.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, message) =>
      error ? reject(error) : resolve(message),
    );
  });
}

async function similarIds(of: typeof server, request: object): Promise<string[]> {
  const { status, body } = await post(of, '/v1/similar', request);
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { results: { id: string }[] }).results.map(({ id }) => id);
}

for (const scann of [false, true]) {
  test(`plain JSON, ${scann ? 'ScaNN' : 'exact'}: one, several, a vector; filters and lists; attributes`, async () => {
    const live = scann ? await startTiny(await tinyBasePath({ scann })) : server;
    assert.deepEqual(await similarIds(live, { ids: ['film3'] }), expected('film3'));
    assert.deepEqual(
      await similarIds(live, { ids: ['film3', 'film9', 'film9'], k: 9 }),
      expected(['film3', 'film9', 'film9'], { k: 9 }),
    );
    const vector = [...filmVectors()[3]!];
    assert.deepEqual(await similarIds(live, { embedding: vector, k: 3 }), ['film3', ...expected('film3', { k: 2 })]);
    const limits = { k: 60, exclude: ['film1', 'nobody'], include: films.slice(0, 30) };
    assert.deepEqual(await similarIds(live, { ids: ['film3'], ...limits }), expected('film3', limits));
    const drama = { k: 60, filter: (id: string) => Number(id.slice(4)) % 3 === 1 };
    const filter = { equals: { genre: 'drama' } };
    assert.deepEqual(await similarIds(live, { ids: ['film3'], k: 60, filter }), expected('film3', drama));
    const { body } = await post(live, '/v1/similar', { ids: ['film3'], k: 1, attributes: ['year'] });
    const [hit] = (body as Message).results;
    assert.deepEqual(Object.keys(hit).sort(), ['id', 'score', 'year']);
    assert.ok(hit.score <= 1 && hit.score > 0);
    if (scann) await live.close();
  });
}

test('predict over REST and gRPC, and infer: lists of several lengths end in the empty identifier', async () => {
  const wanted = [expected('film3'), expected(['film4', 'film5'])];
  const predict = async (body: object): Promise<Message> => {
    const { status, body: answer } = await post(server, '/v1/models/films:predict', body);
    assert.equal(status, 200, JSON.stringify(answer));
    return answer;
  };
  const lists = [
    ['film3', ''],
    ['film4', 'film5'],
  ];
  const rows = await predict({ signature_name: 'similar', instances: lists });
  assert.deepEqual(
    rows.predictions.map(({ identifiers }: Message) => identifiers),
    wanted,
  );
  const single = await predict({ signature_name: 'similar', instances: ['film3'] });
  assert.deepEqual(single.predictions[0].identifiers, wanted[0]);
  const columns = await predict({ signature_name: 'similar', inputs: { identifiers: lists } });
  assert.deepEqual(columns.outputs.identifiers, wanted);
  const vector = [...filmVectors()[3]!];
  const byVector = await predict({ signature_name: 'similar_to_embedding', instances: [vector] });
  assert.deepEqual(byVector.predictions[0].identifiers, ['film3', ...wanted[0]!.slice(0, 4)]);

  const predicted = await grpc('tensorflow.serving.PredictionService', 'Predict', {
    model_spec: { name: 'films', signature_name: 'similar' },
    inputs: {
      identifiers: {
        dtype: 7,
        tensor_shape: { dim: [{ size: 2 }, { size: 2 }] },
        string_val: lists.flat().map((id) => Buffer.from(id)),
      },
    },
  });
  assert.deepEqual(predicted.outputs.identifiers.string_val.map(String), wanted.flat());

  const { status, body } = await post(server, '/v2/models/films/infer', {
    parameters: { signature_name: 'similar' },
    inputs: [{ name: 'identifiers', shape: [2, 2], datatype: 'BYTES', data: lists.flat() }],
  });
  assert.equal(status, 200, JSON.stringify(body));
  const found = (body as Message).outputs.find(({ name }: Message) => name === 'identifiers');
  assert.deepEqual(found.data, wanted.flat());
});

test('the candidate service and the client', async () => {
  const answer = await grpc('shortlist.v1.CandidateService', 'Similar', {
    ids: [{ text: 'film3' }],
    k: 4,
    exclude: [{ text: expected('film3')[0] }],
    filter: JSON.stringify({ range: { year: { gte: 1965 } } }),
    attributes: ['genre'],
  });
  const options = { k: 4, exclude: [expected('film3')[0]!], filter: (id: string) => Number(id.slice(4)) >= 5 };
  assert.deepEqual(
    answer.results.map(({ id }: Message) => id.text),
    expected('film3', options),
  );
  assert.deepEqual(Object.keys(answer.results[0].attributes), ['genre']);
  assert.equal(answer.model, 'films');
  await assert.rejects(grpc('shortlist.v1.CandidateService', 'Similar', { ids: [{ text: 'nobody' }] }), { code: 5 });
  await assert.rejects(grpc('shortlist.v1.CandidateService', 'Similar', {}), { code: 3 });
  await assert.rejects(grpc('shortlist.v1.CandidateService', 'Similar', { ids: [{ text: 'film1' }], filter: '{' }), {
    code: 3,
    message: /filter: expected JSON/,
  });

  const client = createClient<{ genre: string }>({ url: `http://127.0.0.1:${server.httpPort}` });
  const { results } = await client.similar({ ids: ['film3'], k: 2 });
  assert.deepEqual(
    results.map(({ id }) => id),
    expected('film3', { k: 2 }),
  );
  const refusal = await client.similar({ ids: ['film1', 'toString'] }).catch((error: unknown) => error);
  assert.ok(refusal instanceof ShortlistRequestError);
  assert.deepEqual([refusal.status, refusal.code], [404, 'NOT_FOUND']);
  assert.match(refusal.message, /ids: expected identifiers of candidates, got "toString"/);
});

test('rules hold among similar candidates, too', async () => {
  const rules = { perValue: { genre: 2 }, pin: ['film20'], block: [expected('film3')[0]!], k: 5 };
  const ids = await similarIds(server, { ids: ['film3'], ...rules });
  assert.equal(ids[0], 'film20');
  assert.ok(!ids.includes('film3') && !ids.includes(rules.block[0]!));
  const genres = ids.map((id) => Number(id.slice(4)) % 3);
  for (const genre of [0, 1, 2]) assert.ok(genres.filter((each) => each === genre).length <= 2);
  const spread = await similarIds(server, { ids: ['film3'], mmr: { weight: 0.5 }, k: 8 });
  assert.deepEqual([spread[0], spread.length], [expected('film3')[0], 8]);
});

test('what cannot be asked is refused by name', async () => {
  const refused: readonly [object, number, RegExp][] = [
    [{}, 400, /expected exactly one of ids and embedding/],
    [{ ids: ['film1'], embedding: [1, 2, 3, 4] }, 400, /exactly one/],
    [{ ids: [] }, 400, /ids/],
    [{ ids: ['film1', '__proto__'] }, 404, /"__proto__"/],
    [{ ids: [7] }, 400, /ids\[0\]: expected text/],
    [{ id: 'film1' }, 400, /did you mean .?ids/],
    [{ query: 'u1' }, 400, /query/],
    [{ embedding: [1, 2] }, 400, /embedding: expected 4 numbers, got 2/],
    [{ embedding: [0, 0, 0, 0] }, 400, /only zeros/],
    [{ ids: ['film1'], k: 0 }, 400, /k/],
    [{ ids: ['film1'], filter: { equals: { genres: 'x' } } }, 400, /genre/],
  ];
  for (const [body, status, message] of refused) {
    const answer = await post(server, '/v1/similar', body);
    assert.equal(answer.status, status, JSON.stringify([body, answer.body]));
    assert.match(JSON.stringify(answer.body).replaceAll('\\"', '"'), message);
  }
  const document = (await (await fetchUnpooled(`http://127.0.0.1:${server.httpPort}/openapi.json`)).json()) as Message;
  const schema = document.paths['/v1/similar'].post.requestBody.content['application/json'].schema;
  assert.deepEqual(schema.oneOf, [{ required: ['ids'] }, { required: ['embedding'] }]);
});

test('an upserted candidate is found and can be asked for, a deleted one is neither, in every process', async () => {
  const live = await startTiny(await tinyBasePath(), { processes: 2 });
  const vector = [...filmVectors()[3]!].map((x) => 2 * x);
  await post(live, '/v1/candidates/upsert', { candidates: [{ id: 'constructor', embedding: vector }] });
  await post(live, '/v1/candidates/delete', { ids: ['film3'] });
  const left = new BruteForce<ArrayLike<number>, string>().index(filmVectors(), films);
  left.upsert(['constructor'], [vector]);
  left.delete(['film3']);
  for (let i = 0; i < 4; i++) {
    assert.deepEqual(await similarIds(live, { ids: ['constructor'] }), similar(left, 'constructor', 5).identifiers());
    assert.equal((await similarIds(live, { ids: ['film8'], k: 60 })).length, FILMS - 1);
    assert.equal((await post(live, '/v1/similar', { ids: ['film3'] })).status, 404);
  }
  await live.close();
});

test('identifiers of 64 bits, over JSON as text and over gRPC as integers', async () => {
  const basePath = mkdtempSync(join(tmpdir(), 'shortlist-similar-'));
  mkdirSync(join(basePath, '1'));
  const ids = films.map((_, i) => 2n ** 60n + BigInt(i));
  const queryModel = Tower.create({ vocabulary: ['u'], dimensions: 4 });
  const index = new BruteForce<string, bigint>({ queryModel }).index(filmVectors(), ids);
  await saveBundle(join(basePath, '1', 'model.shortlist'), { index });
  const live = await startTiny(basePath, { grpcPort: 0 });
  const wanted = expected('film3', { k: 4 }).map((id) => String(2n ** 60n + BigInt(id.slice(4))));
  const asked = String(2n ** 60n + 3n);
  assert.deepEqual(await similarIds(live, { ids: [asked], k: 4 }), wanted);
  assert.equal((await post(live, '/v1/similar', { ids: [5] })).status, 404);
  const client = new Client(`127.0.0.1:${live.grpcPort}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = serviceOf('shortlist.v1.CandidateService').Similar!;
  const answer = await new Promise<Message>((resolve, reject) => {
    const request = { ids: [{ integer: asked }], k: 4 };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, message) =>
      error ? reject(error) : resolve(message),
    );
  });
  assert.deepEqual(
    answer.results.map(({ id }: Message) => id.integer),
    wanted,
  );
  client.close();
  await live.close();
});
