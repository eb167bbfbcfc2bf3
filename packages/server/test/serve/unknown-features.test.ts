/** A query whose feature no vocabulary has: the answer says which, and a metric counts it, whatever the protocol. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, credentials, type Metadata } from '@grpc/grpc-js';
import { BruteForce, Tower } from 'shortlist';
import { saveBundle } from 'shortlist/node';
import { serviceOf } from '../../src/grpc/definitions.ts';
import type { ShortlistServer } from '../../src/index.ts';
import type { QueryResult } from '../../src/servable/contract.ts';
import { unknownFeaturesText } from '../../src/servable/unknown-features.ts';
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
  assert.deepEqual([status, (body as { error: string }).error], [400, 'query.toString: expected a string, got none']);
  const wrong = await post(server, '/v1/shortlist', { query: { usr: 'u1', toString: 't1' } });
  assert.match((wrong.body as { error: string }).error, /query\.usr: unknown feature, did you mean 'user'\?/);
  await server.close();
});

test('every protocol says which queries have one', async () => {
  const server = await startTiny(await tinyBasePath(), { grpcPort: 0 });
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const hint = '{"query":{"count":2,"queries":[1,2]}}';
  const words = ['u1', 'nobody', 'Zoë 🎬'];

  const predict = async (instances: readonly string[]): Promise<string | null> => {
    const { status, headers } = await post(server, '/v1/models/films:predict', { instances });
    assert.equal(status, 200);
    return headers.get('x-shortlist-unknown-features');
  };
  assert.equal(await predict(words), hint);
  assert.equal(await predict(['nobody']), '{"query":{"count":1,"queries":[0]}}');
  assert.equal(await predict(['u1']), null);
  assert.equal(await predict(['u1', 'u2']), null);
  const many = await predict(Array.from({ length: 128 }, () => 'nobody'));
  const { query } = JSON.parse(many!) as { query: { count: number; queries: number[] } };
  assert.deepEqual([query.count, query.queries.length], [128, 100]);

  const infer = async (data: readonly string[]): Promise<unknown> => {
    const inputs = [{ name: 'query', shape: [data.length], datatype: 'BYTES', data }];
    return (await post(server, '/v2/models/films/infer', { inputs })).body;
  };
  assert.deepEqual(((await infer(words)) as { parameters: object }).parameters, { unknown_features: hint });
  assert.equal(Object.hasOwn((await infer(['u1'])) as object, 'parameters'), false);

  const call = (service: string, method: string, request: object): Promise<[message: object, trailer: Metadata]> => {
    const { path, requestSerialize, responseDeserialize } = serviceOf(service)[method]!;
    return new Promise((resolve, reject) => {
      let message: object;
      const answer = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, value) => {
        if (error) reject(error);
        else message = value as object;
      });
      answer.on('status', ({ metadata }) => resolve([message, metadata]));
    });
  };
  const trailerOf = async (list: readonly string[]): Promise<unknown[]> => {
    const tensor = {
      dtype: 7,
      tensor_shape: { dim: [{ size: list.length }] },
      string_val: list.map((w) => Buffer.from(w)),
    };
    const request = { model_spec: { name: 'films' }, inputs: { query: tensor } };
    return (await call('tensorflow.serving.PredictionService', 'Predict', request))[1].get(
      'x-shortlist-unknown-features',
    );
  };
  assert.deepEqual(await trailerOf(words), [hint]);
  assert.deepEqual(await trailerOf(['u1']), []);

  const inferRequest = (list: readonly string[]): object => {
    const contents = { bytes_contents: list.map((word) => Buffer.from(word)) };
    return { model_name: 'films', inputs: [{ name: 'query', datatype: 'BYTES', shape: [list.length], contents }] };
  };
  const parametersOf = (message: object): unknown[] =>
    Object.entries((message as { parameters: Record<string, { string_param?: string }> }).parameters).map(
      ([name, { string_param }]) => [name, string_param],
    );
  const inference = 'inference.GRPCInferenceService';
  assert.deepEqual(parametersOf((await call(inference, 'ModelInfer', inferRequest(words)))[0]), [
    ['unknown_features', hint],
  ]);
  assert.deepEqual(parametersOf((await call(inference, 'ModelInfer', inferRequest(['u1'])))[0]), []);

  const { path, requestSerialize, responseDeserialize } = serviceOf(inference).ModelStreamInfer!;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  stream.write(inferRequest(words));
  const [streamed] = (await once(stream, 'data')) as [{ infer_response: object }];
  assert.deepEqual(parametersOf(streamed.infer_response)[0], ['unknown_features', hint]);
  stream.end();
  await once(stream, 'end');
  client.close();
  await server.close();
});

test('a feature whose name is not ASCII can be told in a header, and one called like an inherited property as well', () => {
  const result = (...unknown: string[]): QueryResult =>
    ({ identifiers: [], scores: new Float32Array(0), unknown }) as never;
  const text = unknownFeaturesText([result('größe', '__proto__'), result(), result('größe')])!;
  assert.match(text, /^[ -~]*$/);
  assert.deepEqual(Object.entries(JSON.parse(text)), [
    ['größe', { count: 2, queries: [0, 2] }],
    ['__proto__', { count: 1, queries: [0] }],
  ]);
  assert.equal(unknownFeaturesText([result(), {} as never]), undefined);
});
