/** Seen items over every protocol: by the bundle's default, by request, by events, and after compaction and restart. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { BruteForce, SeenItems } from 'shortlist';
import { loadBundle, saveBundle } from 'shortlist/node';
import { createClient } from '../../src/client/index.ts';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { FILMS, fetchUnpooled, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

// biome-ignore lint/suspicious/noExplicitAny: messages are read as a client without types reads them
type Message = any;
type Server = Awaited<ReturnType<typeof startTiny>>;

const films = (begin: number, end: number): string[] =>
  Array.from({ length: end - begin }, (_, i) => `film${begin + i}`);
const HAS_SEEN = [...films(0, 10), 'no longer a candidate'];

function seenByU1(excludeSeen: boolean): SeenItems {
  const seenItems = SeenItems.empty({ excludeSeen });
  seenItems.add('u1', HAS_SEEN);
  return seenItems;
}

const server = await startTiny(await tinyBasePath({ seenItems: seenByU1(true) }), { grpcPort: 0 });
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

async function shortlist(of: Server, request: object): Promise<string[]> {
  const { status, body } = await post(of, '/v1/shortlist', { k: 1000, ...request });
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { results: { id: string }[] }).results.map(({ id }) => id);
}

async function inferred(parameters: object, user = 'u1'): Promise<string[]> {
  const { status, body } = await post(server, '/v2/models/films/infer', {
    parameters: { k: 1000, ...parameters },
    inputs: [{ name: 'query', shape: [1], datatype: 'BYTES', data: [user] }],
  });
  assert.equal(status, 200, JSON.stringify(body));
  return (body as Message).outputs.find(({ name }: Message) => name === 'identifiers').data;
}

const sorted = (ids: readonly string[]): string[] => [...ids].sort();
const ALL = sorted(films(0, FILMS));
const UNSEEN = sorted(films(10, FILMS));

test('by default what the user has seen is left out over every protocol, and k results come back', async () => {
  assert.deepEqual(sorted(await shortlist(server, { query: 'u1' })), UNSEEN);
  assert.deepEqual(sorted(await inferred({})), UNSEEN);
  assert.equal((await shortlist(server, { query: 'u1', k: 50 })).length, 50);
  assert.deepEqual(sorted(await shortlist(server, { query: 'u1', exclude: films(10, 20) })), sorted(films(20, FILMS)));
  const all = await shortlist(server, { query: 'u1', excludeSeen: false });
  const unseen = all.filter((id) => !HAS_SEEN.includes(id)).slice(0, 5);
  for (const body of [{ instances: ['u1'] }, { signature_name: 'serving_default', instances: [{ query: 'u1' }] }]) {
    const { body: answer } = await post(server, '/v1/models/films:predict', body);
    assert.deepEqual((answer as Message).predictions[0].identifiers, unseen);
  }
  const predicted = await grpc('tensorflow.serving.PredictionService', 'Predict', {
    model_spec: { name: 'films' },
    inputs: { query: { dtype: 7, tensor_shape: { dim: [{ size: 1 }] }, string_val: [Buffer.from('u1')] } },
  });
  assert.deepEqual(predicted.outputs.identifiers.string_val.map(String), unseen);
  const { outputs, raw_output_contents } = await grpc('inference.GRPCInferenceService', 'ModelInfer', {
    model_name: 'films',
    parameters: { exclude_seen: { bool_param: false }, k: { int64_param: 60 } },
    inputs: [{ name: 'query', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('u1')] } }],
  });
  assert.deepEqual(outputs[0].shape, ['1', '60'], String(raw_output_contents.length));
  // A pinned candidate that the user has seen is not returned: what takes away wins.
  const pinned = await shortlist(server, { query: 'u1', k: 3, pin: ['film3', 'film20'] });
  assert.deepEqual([pinned[0], pinned.includes('film3'), pinned.length], ['film20', false, 3]);
  // Others, and queries that name no user, have seen nothing.
  assert.deepEqual(sorted(await shortlist(server, { query: 'u2' })), ALL);
  assert.deepEqual(sorted(await shortlist(server, { embedding: [1, 0, 0, 0] })), ALL);
});

test('a request turns it off, and names the user where the query does not', async () => {
  assert.deepEqual(sorted(await shortlist(server, { query: 'u1', excludeSeen: false })), ALL);
  assert.deepEqual(sorted(await inferred({ exclude_seen: false })), ALL);
  assert.deepEqual(sorted(await shortlist(server, { embedding: [1, 0, 0, 0], user: 'u1' })), UNSEEN);
  assert.deepEqual(sorted(await shortlist(server, { query: 'u1', user: 'u2' })), ALL);
  assert.deepEqual(sorted(await shortlist(server, { query: 'u2', user: 'u1', excludeSeen: true })), UNSEEN);
  const tensors = [{ name: 'query', shape: [1], datatype: 'BYTES', data: ['u1'] }];
  const refused: readonly [string, object, RegExp][] = [
    ['/v1/shortlist', { embedding: [1, 0, 0, 0], excludeSeen: true }, /expected a query that names its user/],
    ['/v1/shortlist', { query: 'u1', excludeSeen: 'yes' }, /excludeSeen/],
    ['/v1/shortlist', { query: 'u1', excludeseen: true }, /did you mean .?excludeSeen/],
    ['/v1/shortlist', { query: 'u1', user: '' }, /user: expected the identifier of a user, got empty text/],
    ['/v1/shortlist', { query: 'u1', user: 2 ** 53 }, /user: expected text or an integer, one beyond 2\^53 as text/],
    ['/v1/shortlist', { query: 'u1', user: '\ud800' }, /user: expected Unicode text/],
    ['/v2/models/films/infer', { parameters: { exclude_seen: 1 }, inputs: tensors }, /exclude_seen: expected true or/],
  ];
  for (const [path, body, message] of refused) {
    const answer = await post(server, path, body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.match(JSON.stringify(answer.body), message);
  }
});

for (const scann of [false, true]) {
  test(`events on a bundle that held none, ${scann ? 'ScaNN' : 'exact'}: seen at once, kept by all that keeps updates`, async () => {
    const basePath = await tinyBasePath({ scann });
    let live = await startTiny(basePath);
    const everywhere = { leavesToSearch: 1000, reorder: 1000 };
    const of = (user: string, more: object = {}): Promise<string[]> =>
      shortlist(live, { query: user, excludeSeen: true, ...(scann && everywhere), ...more });
    const client = createClient({ url: `http://127.0.0.1:${live.httpPort}`, model: 'films' });
    const answer = await client.addEvents([
      { user: 'u1', item: 'film3' },
      { user: 7, item: 'film4' },
      { user: '7', item: 'later' },
      { user: 'u1', item: 'film3' },
      { user: 'toString', item: '__proto__' },
    ]);
    assert.deepEqual(answer, { model: 'films', version: 1, acknowledged: 5 });
    const check = async (): Promise<void> => {
      assert.deepEqual(sorted(await of('u1')), sorted([...films(0, 3), ...films(4, FILMS), 'later']));
      assert.deepEqual(sorted(await of('7')), sorted([...films(0, 4), ...films(5, FILMS)]));
      assert.deepEqual(sorted(await of('u2', { user: 7 })), await of('7').then(sorted));
      assert.equal((await of('constructor')).length, FILMS + 1);
      // What the bundle says: nothing is left out unless a request says so.
      assert.equal((await shortlist(live, { query: '7', ...(scann && everywhere) })).length, FILMS + 1);
    };
    await client.upsert([{ id: 'later', embedding: [0, 0, 0, 1] }]);
    await check();
    // A candidate that goes and comes back has been seen.
    await client.delete(['film4', 'film5']);
    await client.upsert(['film4', 'film5'].map((id) => ({ id, embedding: [0, 0, 0, 1] })));
    await check();
    const metrics = await (await fetchUnpooled(`http://127.0.0.1:${live.httpPort}/metrics`)).text();
    assert.match(metrics, /^shortlist_updates_total\{model_name="films",kind="seen"\} 5$/m);
    assert.match(metrics, /^shortlist_seen_pairs\{model_name="films",version="1"\} 4$/m);
    assert.match(metrics, /^shortlist_seen_bytes\{model_name="films",version="1"\} 160$/m);
    // A snapshot, a compaction, and a restart with what came behind it.
    const snapshot = join(mkdtempSync(join(tmpdir(), 'shortlist-seen-')), 'x.shortlist');
    const bytes = await (await fetchUnpooled(`http://127.0.0.1:${live.httpPort}/v1/bundle`)).arrayBuffer();
    writeFileSync(snapshot, new Uint8Array(bytes));
    assert.deepEqual((await loadBundle(snapshot)).seenItems!.itemsOf('7'), ['film4', 'later']);
    assert.equal((await post(live, '/admin/models/films/compact', {})).status, 200);
    await check();
    if (scann) assert.equal((await post(live, '/admin/models/films/rebalance', {})).status, 200);
    await client.addEvents([{ user: 'u9', item: 'film0' }]);
    await live.close();
    live = await startTiny(basePath);
    await check();
    assert.ok(!(await of('u9')).includes('film0'));
    await live.close();
  });
}

test('a request of events is taken whole or not at all', async () => {
  const before = await shortlist(server, { query: 'u5' });
  const event = (item: unknown, user: unknown = 'u5'): object => ({ user, item });
  const refused: readonly [unknown, RegExp][] = [
    [[event('film1'), event('film2', '')], /user/],
    [[event('film1'), event(7)], /events\[1\]\.item: expected text, got 7/],
    [[event('film1'), event('film2', 2 ** 53)], /user: expected text or an integer/],
    [[event('film1'), event('film2', '\ud800')], /user: expected Unicode/],
    [[event('film1'), { user: 'u5' }], /item/],
    [[event('film1'), { ...event('film2'), time: 1 }], /time/],
    [[], /events/],
    [Array.from({ length: 10_001 }, () => event('film1')), /events/],
    ['film1', /events/],
  ];
  for (const [events, message] of refused) {
    const { status, body } = await post(server, '/v1/events', { events });
    assert.equal(status, 400, JSON.stringify(body));
    assert.match(JSON.stringify(body), message);
  }
  assert.deepEqual(await shortlist(server, { query: 'u5' }), before);
});

test('gRPC: EventService/Append, a user as text and as an integer', async () => {
  const events = [
    { user: { integer: 5 }, item: { text: 'film1' } },
    { user: { text: '5' }, item: { text: 'film2' } },
  ];
  const answer = await grpc('shortlist.v1.EventService', 'Append', { model: '', events });
  assert.deepEqual(answer, { model: 'films', version: '1', acknowledged: '2' });
  assert.deepEqual(sorted(await shortlist(server, { query: '5' })), sorted(['film0', ...films(3, FILMS)]));
  for (const wrong of [
    { item: { text: 'film1' } },
    { user: { text: 'u' } },
    { user: { text: '' }, item: { text: 'x' } },
  ]) {
    const call = grpc('shortlist.v1.EventService', 'Append', { model: 'films', events: [...events, wrong] });
    await assert.rejects(call, { code: 3 });
  }
});

test('items that are integers of 64 bits: as numbers, and beyond 2^53 as text', async () => {
  const basePath = mkdtempSync(join(tmpdir(), 'shortlist-seen-'));
  mkdirSync(join(basePath, '1'));
  const ids = [1n, 2n, 2n ** 62n + 1n, -5n];
  const vectors = ids.map((_, i) => [1, i]);
  await saveBundle(join(basePath, '1', 'm.shortlist'), { index: new BruteForce<never, bigint>().index(vectors, ids) });
  const live = await startTiny(basePath);
  const events = [1, '2', String(2n ** 62n + 1n), 2n ** 40n].map((item) => ({
    user: '9223372036854775807',
    item: typeof item === 'bigint' ? Number(item) : item,
  }));
  assert.equal((await post(live, '/v1/events', { events })).status, 200);
  const request = { embedding: [1, 1], user: '9223372036854775807', excludeSeen: true, k: 10 };
  const { body } = await post(live, '/v1/shortlist', request);
  assert.deepEqual(
    (body as Message).results.map(({ id }: Message) => id),
    [-5],
  );
  for (const item of ['x', 0.5, 2 ** 60, String(2n ** 64n)]) {
    assert.equal((await post(live, '/v1/events', { events: [{ user: 'u', item }] })).status, 400);
  }
  await live.close();
});

test('several processes: an event is seen by the next query wherever it goes', async () => {
  const live = await startTiny(await tinyBasePath(), { processes: 3 });
  for (let i = 0; i < 12; i++) {
    const { status } = await post(live, '/v1/events', { events: [{ user: 'u3', item: `film${i}` }] });
    assert.equal(status, 200);
    assert.deepEqual(sorted(await shortlist(live, { query: 'u3', excludeSeen: true })), sorted(films(i + 1, FILMS)));
  }
  await live.close();
});
