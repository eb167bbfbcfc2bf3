/** Every protocol gives the identifiers of a bundle and takes back what it gave, or the bundle is refused with the reason. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { BruteForce, type Identifier, ScaNN } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { serviceOf } from '../../src/grpc/definitions.ts';
import type { ShortlistServer } from '../../src/index.ts';
import { fetchUnpooled, post, startTiny } from '../fixtures/tiny-bundle.ts';

// biome-ignore lint/suspicious/noExplicitAny: messages are read as a client without types reads them
type Message = any;

const QUERY = [1, 0];
/** Candidate i of n: a smaller score than the one before. */
const vectorOf = (i: number): number[] => [1 - i / 8, i / 8];

async function basePathOf(ids: readonly Identifier[], scann: boolean): Promise<string> {
  const basePath = mkdtempSync(join(tmpdir(), 'shortlist-identifiers-'));
  mkdirSync(join(basePath, '1'));
  const index = scann ? new ScaNN<never, Identifier>() : new BruteForce<never, Identifier>();
  index.index(
    ids.map((_, i) => Float32Array.from(vectorOf(i))),
    ids,
  );
  await saveBundle(join(basePath, '1', 'model.shortlist'), { index });
  return basePath;
}

function grpc(server: ShortlistServer, service: string, method: string, request: object): Promise<Message> {
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = serviceOf(service)[method]!;
  return new Promise<Message>((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, message) =>
      error ? reject(error) : resolve(message),
    );
  }).finally(() => client.close());
}

/** The digits of the identifiers in a text of JSON, which JSON.parse would round. */
const digits = (text: string): string[] =>
  [...text.slice(text.indexOf('[', text.indexOf('identifiers'))).matchAll(/-?\d+/g)].map(([token]) => token);

/** All identifiers, best first, as each protocol gives them. */
async function everywhere(server: ShortlistServer, count: number): Promise<Record<string, string[]>> {
  const url = `http://127.0.0.1:${server.httpPort}`;
  const send = async (path: string, body: string): Promise<string> =>
    (await fetchUnpooled(`${url}${path}`, { method: 'POST', body })).text();
  const plain = (await post(server, '/v1/shortlist', { embedding: QUERY, k: count })).body as Message;
  const instances = '{"signature_name": "search", "instances": [[1, 0]]}';
  const inputs = '{"inputs": [{"name": "embedding", "datatype": "FP32", "shape": [1, 2], "data": [1, 0]}]}';
  const model_spec = { name: 'films', signature_name: 'search' };
  const embedding = { dtype: 1, tensor_shape: { dim: [{ size: 1 }, { size: 2 }] }, float_val: QUERY };
  const predicted = await grpc(server, 'tensorflow.serving.PredictionService', 'Predict', {
    model_spec,
    inputs: { embedding },
  });
  const inferred = await grpc(server, 'inference.GRPCInferenceService', 'ModelInfer', {
    model_name: 'films',
    inputs: [{ name: 'embedding', datatype: 'FP32', shape: ['1', '2'], contents: { fp32_contents: QUERY } }],
  });
  const raw = inferred.raw_output_contents[0] as Buffer;
  return {
    plain: plain.results.map(({ id }: Message) => String(id)),
    row: digits(await send('/v1/models/films:predict', instances)).slice(0, count),
    column: digits(await send('/v1/models/films:predict', instances.replace('instances', 'inputs'))).slice(0, count),
    rest: digits((await send('/v2/models/films/infer', inputs)).replace(/^.*?"data"/, 'identifiers')).slice(0, count),
    predict: predicted.outputs.identifiers.int64_val,
    infer: Array.from({ length: count }, (_, i) => String(raw.readBigInt64LE(8 * i))),
  };
}

const SERVED: Readonly<Record<string, readonly Identifier[]>> = {
  bigints: [9007199254740993n, -(2n ** 63n), 2n ** 63n - 1n, 5n, 0n],
  numbers: [2 ** 60, -(2 ** 63), 2 ** 53, 5, -3],
};

for (const [kind, ids] of Object.entries(SERVED)) {
  for (const scann of [false, true]) {
    test(`${kind} in ${scann ? 'ScaNN' : 'BruteForce'}: the same integers everywhere, and all are accepted back`, async () => {
      const basePath = await basePathOf(ids, scann);
      const expected = ids.map((id) => String(BigInt(id)));
      let server = await startTiny(basePath, { grpcPort: 0 });
      for (const [protocol, found] of Object.entries(await everywhere(server, ids.length))) {
        assert.deepEqual(found, expected, protocol);
      }
      const { results } = (await post(server, '/v1/shortlist', { embedding: QUERY })).body as Message;
      const printed = results.map(({ id }: Message) => id) as (string | number)[];
      const shortlist = async (lists: object): Promise<string[]> => {
        const { status, body } = await post(server, '/v1/shortlist', { embedding: QUERY, ...lists });
        assert.equal(status, 200, JSON.stringify(body));
        return (body as Message).results.map(({ id }: Message) => String(id));
      };
      for (const id of [...printed, ...printed.map(String)]) {
        assert.deepEqual(await shortlist({ include: [id] }), [String(id)]);
        assert.deepEqual(
          await shortlist({ exclude: [id] }),
          expected.filter((other) => other !== String(id)),
        );
      }
      const embedding = [100, 0];
      const upserted = await post(server, '/v1/candidates/upsert', {
        candidates: [{ id: String(printed[0]), embedding }],
      });
      assert.equal(upserted.status, 200);
      await grpc(server, 'shortlist.v1.CandidateService', 'Upsert', {
        candidates: [{ id: { integer: expected[1] }, embedding: [50, 0] }],
      });
      await grpc(server, 'shortlist.v1.CandidateService', 'Delete', { ids: [{ integer: expected[2] }] });
      assert.equal((await post(server, '/v1/candidates/delete', { ids: [String(printed[3])] })).status, 200);
      const left = [expected[0], expected[1], expected[4]];
      assert.deepEqual(await shortlist({}), left);
      const { body } = await post(server, '/v1/shortlist', { embedding: QUERY, include: [left[0]] });
      assert.equal((body as Message).results[0].score, 100, 'replaced, not added');
      await server.close();
      server = await startTiny(basePath);
      assert.deepEqual(await shortlist({}), left);
      await server.close();
    });
  }
}

test('an integer that the index cannot hold is no other one', async () => {
  const server = await startTiny(await basePathOf([2 ** 53, 1], false), { grpcPort: 0 });
  const beside = '9007199254740993';
  const ids = async (lists: object): Promise<unknown> =>
    ((await post(server, '/v1/shortlist', { embedding: QUERY, ...lists })).body as Message).results.length;
  assert.deepEqual([await ids({ exclude: [beside] }), await ids({ include: [beside] })], [2, 0]);
  assert.equal((await post(server, '/v1/candidates/delete', { ids: [beside] })).status, 200);
  assert.equal(await ids({}), 2);
  const upsert = await post(server, '/v1/candidates/upsert', { candidates: [{ id: beside, embedding: QUERY }] });
  assert.equal(upsert.status, 400);
  assert.match((upsert.body as Message).error, /^candidates\[0\]\.id: expected an integer that a double holds/);
  const events = [
    { user: 'u1', item: 1 },
    { user: 'u1', item: beside },
  ];
  const { status, body } = await post(server, '/v1/events', { events });
  assert.equal(status, 400);
  assert.match((body as Message).error, /^events\[1\]\.item: expected an integer that a double holds/);
  const cases: [unknown, RegExp][] = [
    ['1.0', /expected an integer of 64 bits, got "1.0"/],
    ['9223372036854775808', /expected an integer of 64 bits/],
    ['', /expected an integer of 64 bits, got ""/],
    [1e19, /beyond 2\^53 as text, got the number/],
  ];
  for (const [id, message] of cases) {
    for (const [path, body] of [
      ['/v1/shortlist', { embedding: QUERY, exclude: [id] }],
      ['/v1/shortlist', { embedding: QUERY, include: [id] }],
      ['/v1/candidates/delete', { ids: [id] }],
      ['/v1/candidates/upsert', { candidates: [{ id, embedding: QUERY }] }],
    ] as const) {
      const refused = await post(server, path, body);
      assert.equal(refused.status, 400);
      assert.match((refused.body as Message).error, message);
    }
  }
  await server.close();
});

const REFUSED: Readonly<Record<string, [Identifier[], RegExp]>> = {
  'a fraction': [[2, 1.5, 3], /expected text or integers of 64 bits to serve, got 1\.5 in row 1/],
  'a number beyond 64 bits': [[1, 2 ** 63], /got 9223372036854776000 in row 1/],
  'an infinite number': [[Number.POSITIVE_INFINITY], /got Infinity in row 0/],
  'a bigint beyond 64 bits': [[1n, 2n ** 70n], /got 1180591620717411303424 in row 1/],
  'half of a surrogate pair': [['a', '\ud800'], /expected Unicode text, got "\\ud800" in row 1/],
};

for (const [what, [ids, reason]] of Object.entries(REFUSED)) {
  test(`${what} as an identifier: the bundle is refused with the reason`, async () => {
    const server = await startTiny(await basePathOf(ids, false));
    const [record] = server.registry.models[0]!.records;
    assert.deepEqual([server.isReady, record!.state], [false, 'END']);
    assert.match(record!.errorMessage, reason);
    assert.equal(record!.errorCode, 'FAILED_PRECONDITION');
    await server.close();
  });
}

test('half of a surrogate pair is refused in a request', async () => {
  const server = await startTiny(await basePathOf(['a'], false));
  const { status, body } = await post(server, '/v1/candidates/upsert', {
    candidates: [{ id: '\udc00', embedding: QUERY }],
  });
  assert.deepEqual([status, (body as Message).error], [400, 'candidates[0].id: expected Unicode text, got "\\udc00"']);
  await server.close();
});

test('the empty identifier: upserts and events refuse it and change nothing; a candidate that has it is found and deleted', async () => {
  const server = await startTiny(await basePathOf(['', 'a'], false));
  const embedding = [100, 0];
  const reason = 'expected text of at least one character, got ""';
  const ids = async (): Promise<string[]> =>
    ((await post(server, '/v1/shortlist', { embedding: QUERY })).body as Message).results.map(({ id }: Message) => id);
  const upsert = await post(server, '/v1/candidates/upsert', {
    candidates: [
      { id: 'b', embedding },
      { id: '', embedding },
    ],
  });
  assert.deepEqual([upsert.status, (upsert.body as Message).error], [400, `candidates[1].id: ${reason}`]);
  const event = await post(server, '/v1/events', { events: [{ user: 'u', item: '' }] });
  assert.deepEqual([event.status, (event.body as Message).error], [400, `events[0].item: ${reason}`]);
  assert.deepEqual(await ids(), ['', 'a']);
  assert.equal((await post(server, '/v1/candidates/delete', { ids: [''] })).status, 200);
  assert.deepEqual(await ids(), ['a']);
  await server.close();
});
