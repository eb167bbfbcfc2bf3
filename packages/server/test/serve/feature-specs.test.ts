/** Towers of a spec of features: lists, numbers, times and missing values over every protocol, and what does not fit. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { BruteForce, createTowers } from 'shortlist';
import { FeatureSet, learnFeatures } from 'shortlist/features';
import { saveBundle } from 'shortlist/node';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { post, startTiny } from '../fixtures/tiny-bundle.ts';

// biome-ignore lint/suspicious/noExplicitAny: messages are read as a client without types reads them
type Message = any;

const ITEMS = Array.from({ length: 12 }, (_, i) => `item${i}`);
const rows = ITEMS.map((item, i) => ({ item, genres: [['comedy'], ['drama', 'war'], []][i % 3]!, year: 1990 + i }));

const set = await learnFeatures(
  {
    history: { type: 'sequence', table: 'items', recencyDecay: 0.8, dimensions: 3 },
    latest: { type: 'sequence', field: 'history', table: 'items', maxLength: 5, attention: { blocks: 1, heads: 3 } },
    shares: { type: 'bag', of: 'integer', weights: 'weights', missing: 'own', dimensions: 2 },
    age: { type: 'number', missing: 'own' },
    hour: { type: 'time', part: 'hour', field: 'at', missing: 'own', dimensions: 2 },
    mood: { type: 'vector', length: 2, missing: 'own' },
    item: { type: 'string', table: 'items' },
    genres: { type: 'bag', dimensions: 2 },
    year: { type: 'number' },
  },
  [
    { history: [ITEMS], shares: [[7, 8]], weights: [[1, 2]], age: [20], at: [0], mood: [[0, 1]] },
    { item: ITEMS, genres: rows.map(({ genres }) => genres), year: rows.map(({ year }) => year) },
  ],
);
const { queryTower, candidateTower } = createTowers({
  queryTower: { features: set.pick(['history', 'latest', 'shares', 'age', 'hour', 'mood']), dense: [4] },
  candidateTower: { features: set.pick(['item', 'genres', 'year']), dense: [4] },
  seed: 5,
});
/** A raw query, by the specs. */
type Query = Parameters<typeof queryTower.embed>[0][number];

const basePath = mkdtempSync(join(tmpdir(), 'shortlist-features-'));
mkdirSync(join(basePath, '1'));
const index = new BruteForce<Query, string>({ queryModel: queryTower, k: 3 }).index(candidateTower.embed(rows), ITEMS);
await saveBundle(join(basePath, '1', 'model.shortlist'), { index, candidateTower });

const server = await startTiny(basePath, { grpcPort: 0 });
const grpcClient = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
after(async () => {
  grpcClient.close();
  await server.close();
});

/** The vector that the library computes. */
const vectorOf = (query: Query): number[] => [...queryTower.embed([query]).row(0)];
/** The best candidates by the library. */
const bestOf = (query: Query): string[] =>
  index
    .call([query], 3)
    .hits()
    .map(({ identifier }) => identifier);
const assertNear = (actual: readonly number[], expected: readonly number[]): void => {
  assert.equal(actual.length, expected.length);
  actual.forEach((x, i) => {
    assert.ok(Math.abs(x - expected[i]!) < 1e-5, `${actual} against ${expected}`);
  });
};
async function refusal(path: string, body: unknown): Promise<string> {
  const { status, body: answer } = await post(server, path, body);
  assert.equal(status, 400, JSON.stringify(answer));
  return String((answer as Message).error?.message ?? (answer as Message).error ?? JSON.stringify(answer));
}

const FULL = { history: ['item3', 'item5'], shares: [8, 7], weights: [0.5, 2], age: 33, at: 7200, mood: [0.6, 0.8] };
const SPARSE = { history: [] };

test('plain JSON: values as they are, times as text, missing ones left out or null', async () => {
  for (const query of [FULL, SPARSE, { ...FULL, at: '1970-01-01T02:00:00Z' }, { ...FULL, age: null }]) {
    const { body, status } = await post(server, '/v1/shortlist', { query });
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(
      (body as Message).results.map(({ id }: Message) => id),
      bestOf(query),
    );
  }
  const { body } = await post(server, '/v1/shortlist', { query: { ...FULL, history: ['never', 'seen'] } });
  assert.deepEqual((body as Message).unknown, ['history', 'latest']);
  assert.equal((await post(server, '/v1/shortlist', { query: { ...FULL, history: ['never', 'item1'] } })).status, 200);
});

test('the features of a query are encoded once, whether alone or in a batch', async () => {
  const { encode } = FeatureSet.prototype;
  let rows = 0;
  FeatureSet.prototype.encode = function counted(...args) {
    rows += args[0].length;
    return encode.apply(this, args);
  };
  try {
    assert.equal((await post(server, '/v1/shortlist', { query: FULL })).status, 200);
    assert.equal(rows, 1);
    const instances = [FULL, SPARSE, FULL];
    const { body } = await post(server, '/v1/models/films:predict', { instances });
    assert.equal(rows, 4);
    assert.deepEqual(
      (body as Message).predictions.map(({ identifiers }: Message) => identifiers),
      instances.map(bestOf),
    );
    // Queries of different requests share a scan.
    const many = await Promise.all(instances.map((query) => post(server, '/v1/shortlist', { query })));
    assert.equal(rows, 7 + instances.length, '`bestOf` has encoded three');
    many.forEach(({ body: { results } }: Message, i) => {
      assert.deepEqual(
        results.map(({ id }: Message) => id),
        bestOf(instances[i]!),
      );
    });
  } finally {
    FeatureSet.prototype.encode = encode;
  }
});

test('what does not fit is refused by name, and other queries of the batch are answered', async () => {
  const ask = (query: unknown): Promise<string> => refusal('/v1/shortlist', { query });
  assert.match(await ask({ ...FULL, history: 'item3' }), /history in row 0: expected a list of strings, got "item3"/);
  assert.match(await ask({ ...FULL, history: ['a', 5] }), /expected a string at position 1 of the list, got 5/);
  assert.match(await ask({ age: 3 }), /history in row 0: expected a list of strings, got none/);
  assert.match(await ask({ ...FULL, histroy: [] }), /histroy: unknown feature.*history/);
  assert.match(await ask({ ...FULL, weights: [1] }), /shares in row 0: expected a list of 2 weights/);
  assert.match(await ask({ ...FULL, at: 1e15 }), /hour in row 0: expected a time in seconds/);
  assert.match(await ask({ ...FULL, mood: [1] }), /mood in row 0: expected a vector of 2 finite numbers/);
  assert.match(await ask('item3'), /expected an object with history, shares, weights, age, at, mood/);
  const both = await Promise.all([
    post(server, '/v1/shortlist', { query: { ...FULL, age: 'old' } }),
    ...Array.from({ length: 5 }, () => post(server, '/v1/shortlist', { query: FULL })),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status),
    [400, 200, 200, 200, 200, 200],
  );
});

test("TF Serving's JSON: ragged lists, padded lists, missing and optional inputs", async () => {
  const path = '/v1/models/films:predict';
  const embed = async (body: object): Promise<number[][]> => {
    const { body: answer, status } = await post(server, path, { signature_name: 'embed', ...body });
    assert.equal(status, 200, JSON.stringify(answer));
    return (answer as Message).predictions ?? (answer as Message).outputs;
  };
  const instances = [FULL, SPARSE, { ...FULL, history: ['item1', 'item2', 'item3'], age: null }];
  const rows = await embed({ instances });
  rows.forEach((row, i) => {
    assertNear(row, vectorOf(instances[i]!));
  });
  const padded = await embed({
    inputs: {
      history: [
        ['item3', 'item5', '', ''],
        ['item1', '', '', ''],
      ],
      shares: [
        [8, 7],
        [7, 0],
      ],
      weights: [
        [0.5, 2],
        [1, 0],
      ],
    },
  });
  assertNear(padded[0]!, vectorOf({ history: ['item3', 'item5'], shares: [8, 7], weights: [0.5, 2] }));
  assertNear(padded[1]!, vectorOf({ history: ['item1'], shares: [7], weights: [1] }));
  assertNear(
    (await embed({ inputs: { history: [['item1'], ['item2', 'item3']] } }))[1]!,
    vectorOf({ history: ['item2', 'item3'] }),
  );
  const { body } = await post(server, path, { instances: [FULL] });
  assert.deepEqual((body as Message).predictions[0].identifiers, bestOf(FULL));
  assert.match(
    await refusal(path, { instances: [{ age: 3 }] }),
    /must only have keys: age,at,history,mood,shares,weights/,
  );
  assert.match(
    await refusal(path, { instances: [FULL, { ...FULL, history: [1] }] }),
    /element: 1 key: history.*not of expected type: string/,
  );
  assert.match(
    await refusal(path, { instances: [{ ...FULL, weights: [1] }] }),
    /shares in row 0: expected a list of 2 weights/,
  );
  const { body: metadata } = await post(server, path, { instances: [{ ...SPARSE, mood: [1] }] });
  assert.match(JSON.stringify(metadata), /Expecting tensor size: 2 but got: 1/);
});

test('the Open Inference Protocol: named tensors, optional ones left out', async () => {
  const input = (name: string, datatype: string, shape: number[], data: unknown[]): object => ({
    name,
    datatype,
    shape,
    data,
  });
  const { body, status } = await post(server, '/v2/models/films/infer', {
    inputs: [
      input('history', 'BYTES', [2, 2], ['item3', 'item5', 'item1', '']),
      input('age', 'FP32', [2], [33, 20]),
      input('at', 'INT64', [2, 1], [7200, 0]),
    ],
    outputs: [{ name: 'identifiers' }],
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual((body as Message).outputs[0].data, [
    ...bestOf({ history: ['item3', 'item5'], age: 33, at: 7200 }),
    ...bestOf({ history: ['item1'], age: 20, at: 0 }),
  ]);
  const wrong = { inputs: [input('history', 'BYTES', [1, 1], ['item3']), input('ages', 'FP32', [1], [3])] };
  assert.match(await refusal('/v2/models/films/infer', wrong), /unexpected inference inputs 'history', 'ages'/);
});

test('a new candidate by its raw features, over plain JSON and gRPC; what does not fit leaves nothing behind', async () => {
  const fresh = { item: 'item99', genres: ['war', 'comedy'], year: 2024 };
  const vector = [...candidateTower.embed([fresh]).row(0)];
  const { status, body } = await post(server, '/v1/candidates/upsert', {
    candidates: [{ id: 'fresh', features: fresh }],
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual((body as Message).unknown, [{ id: 'fresh', features: ['item'] }]);
  const { path: method, requestSerialize, responseDeserialize } = serviceOf('shortlist.v1.CandidateService').Upsert!;
  const candidate = {
    id: { text: 'by grpc' },
    features: { item: 'item99' },
    feature_values: { year: { number: 2024 }, genres: { list: { values: [{ text: 'war' }, { text: 'comedy' }] } } },
  };
  await new Promise((resolve, reject) => {
    const message = { candidates: [candidate] };
    grpcClient.makeUnaryRequest(method, requestSerialize, responseDeserialize, message, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
  const { body: found } = await post(server, '/v1/shortlist', { embedding: vector, k: 20 });
  const scores = new Map((found as Message).results.map(({ id, score }: Message) => [id, score]));
  const square = vector.reduce((sum, x) => sum + x * x, 0);
  for (const id of ['fresh', 'by grpc']) assertNear([scores.get(id) as number], [square]);
  const wrong = [
    { id: 'good', features: fresh },
    { id: 'bad', features: { ...fresh, year: '2024' } },
  ];
  assert.match(
    await refusal('/v1/candidates/upsert', { candidates: wrong }),
    /year in row 1: expected a number, got "2024"/,
  );
  const { body: after } = await post(server, '/v1/shortlist', { embedding: vector, k: 20 });
  assert.ok(!(after as Message).results.some(({ id }: Message) => id === 'good'));
});
