/** Histories over every protocol: of users whom the model does not know, given by the request or seen before. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { BruteForce, historyVectors, interactionsOf, SeenItems } from 'shortlist';
import { loadBundle, saveBundle } from 'shortlist/node';
import { dictionaryColumn, fitAls } from 'shortlist/recommenders';
import { createClient } from '../../src/client/index.ts';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

// biome-ignore lint/suspicious/noExplicitAny: messages are read as a client without types reads them
type Message = any;
type Server = Awaited<ReturnType<typeof startTiny>>;

const seenItems = SeenItems.empty({ excludeSeen: false });
seenItems.add('u1', ['film7']);
seenItems.add('new', ['film3', 'gone', 'film9']);
seenItems.add('only gone', ['gone']);
const basePath = await tinyBasePath({ seenItems });
const server = await startTiny(basePath, { grpcPort: 0 });
after(() => server.close());
const { index } = await loadBundle(join(basePath, '1', 'model.shortlist'));

/** The results of the index for a history. */
function expected(history: readonly string[], k = 5): string[] {
  const { vectors } = historyVectors(index, [history]);
  return index.call(vectors, k).identifiers() as string[];
}

async function ask(of: Server, request: object): Promise<{ ids: string[]; history: unknown; unknown: unknown }> {
  const { status, body } = await post(of, '/v1/shortlist', request);
  assert.equal(status, 200, JSON.stringify(body));
  const { results, history, unknown } = body as Message;
  return { ids: results.map(({ id }: Message) => id), history, unknown };
}

test('plain JSON: a history instead of a query; items that are not known are said', async () => {
  const known = {
    ids: expected(['film1', 'film2']),
    history: { isUsed: true, items: 2, unknown: [] },
    unknown: undefined,
  };
  assert.deepEqual(await ask(server, { history: ['film1', 'film2'] }), known);
  const history = ['film1', 'toString', 'film2', 'never'];
  const some = await ask(server, { history });
  assert.deepEqual(some.history, { isUsed: true, items: 2, unknown: ['toString', 'never'] });
  assert.deepEqual(some.ids, known.ids);
  // Who has chosen an item has seen it.
  const left = (await ask(server, { history, excludeSeen: true, k: 60 })).ids;
  assert.deepEqual([left.length, left.includes('film1'), left.includes('film2')], [58, false, false]);
  const client = createClient({ url: `http://127.0.0.1:${server.httpPort}` });
  assert.deepEqual((await client.shortlist({ history: ['film1', 'x'] })).history, {
    isUsed: true,
    items: 1,
    unknown: ['x'],
  });
});

test('beside a query the history is asked where the user is not known', async () => {
  const byUser = await ask(server, { query: 'u1' });
  assert.equal(byUser.history, undefined);
  const known = await ask(server, { query: 'u1', history: ['film1', 'x'] });
  assert.deepEqual([known.ids, known.history], [byUser.ids, { isUsed: false, items: 1, unknown: ['x'] }]);
  const unknown = await ask(server, { query: 'nobody', history: ['film1', 'x'] });
  assert.deepEqual(unknown, {
    ids: expected(['film1']),
    history: { isUsed: true, items: 1, unknown: ['x'] },
    unknown: ['query'],
  });
  const nothing = await ask(server, { query: 'nobody', history: ['x'] });
  assert.deepEqual(
    [nothing.ids, nothing.history],
    [(await ask(server, { query: 'nobody else' })).ids, { isUsed: false, items: 0, unknown: ['x'] }],
  );
});

test('what a user whom the model does not know has seen is a history, and grows with events', async () => {
  const seen = await ask(server, { query: 'new' });
  assert.deepEqual(seen, {
    ids: expected(['film3', 'film9']),
    history: { isUsed: true, items: 2, unknown: ['gone'] },
    unknown: ['query'],
  });
  assert.equal((await ask(server, { query: 'only gone' })).history, undefined);
  const live = await startTiny(await tinyBasePath());
  await post(live, '/v1/events', { events: [{ user: 'fresh', item: 'film3' }] });
  assert.deepEqual((await ask(live, { query: 'fresh' })).ids, expected(['film3']));
  await post(live, '/v1/events', { events: [{ user: 'fresh', item: 'film9' }] });
  assert.deepEqual((await ask(live, { query: 'fresh' })).ids, expected(['film3', 'film9']));
  await live.close();
});

test('the signature query_by_history: TF Serving over REST and gRPC, Open Inference', async () => {
  const instances = [{ history: ['film1', 'film2', 'x'] }, { history: ['film5', '', ''] }];
  const { body } = await post(server, '/v1/models/films:predict', { signature_name: 'query_by_history', instances });
  const { predictions } = body as Message;
  assert.deepEqual(
    predictions.map(({ identifiers }: Message) => identifiers),
    [expected(['film1', 'film2']), expected(['film5'])],
  );
  assert.deepEqual(
    predictions.map(({ unknown_items }: Message) => unknown_items),
    [['x'], ['']],
  );
  const { body: inferred } = await post(server, '/v2/models/films/infer', {
    parameters: { exclude_seen: true, k: 60 },
    inputs: [{ name: 'history', shape: [1, 2], datatype: 'BYTES', data: ['film1', 'film2'] }],
  });
  const outputs = new Map((inferred as Message).outputs.map((one: Message) => [one.name, one]));
  assert.deepEqual((outputs.get('identifiers') as Message).shape, [1, 58]);
  assert.deepEqual((outputs.get('unknown_items') as Message).shape, [1, 0]);
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = serviceOf('tensorflow.serving.PredictionService').Predict!;
  const history = {
    dtype: 7,
    tensor_shape: { dim: [{ size: 1 }, { size: 2 }] },
    string_val: ['film1', 'y'].map(Buffer.from),
  };
  const answer = await new Promise<Message>((resolve, reject) => {
    const request = { model_spec: { name: 'films', signature_name: 'query_by_history' }, inputs: { history } };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, message) =>
      error ? reject(error) : resolve(message),
    );
  });
  client.close();
  assert.deepEqual(answer.outputs.identifiers.string_val.map(String), expected(['film1']));
  assert.deepEqual(answer.outputs.unknown_items.string_val.map(String), ['y']);
});

test('refusals', async () => {
  const refused: readonly [string, object, RegExp][] = [
    ['/v1/shortlist', { history: ['x', 'y'] }, /history: expected an item that the model knows, got none among 2/],
    ['/v1/shortlist', { history: [] }, /history/],
    ['/v1/shortlist', { history: 'film1' }, /history/],
    ['/v1/shortlist', { history: [7] }, /history\[0\]: expected text, got 7/],
    ['/v1/shortlist', { history: ['film1'], embedding: [1, 0, 0, 0] }, /expected query, history, both, or embedding/],
    ['/v1/shortlist', { history: Array.from({ length: 10_001 }, () => 'film1') }, /history/],
    [
      '/v1/models/films:predict',
      { signature_name: 'query_by_history', instances: [{ history: ['film1'] }, { history: ['x'] }] },
      /history: expected an item that the model knows/,
    ],
  ];
  for (const [path, body, message] of refused) {
    const answer = await post(server, path, body);
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.match(JSON.stringify(answer.body), message);
  }
  // One that is wrong takes no other with it.
  const [good, wrong] = await Promise.all([
    post(server, '/v1/shortlist', { history: ['film1'] }),
    post(server, '/v1/shortlist', { history: ['x'] }),
  ]);
  assert.deepEqual([good.status, wrong.status], [200, 400]);
});

test('implicit ALS folds histories in, also what a known user has seen since where the bundle says always', async () => {
  const pairs = Array.from({ length: 20 }, (_, user) =>
    Array.from({ length: 5 }, (_, i): [string, string] => [`u${user}`, `i${(user % 2) + 2 * ((user + i) % 8)}`]),
  ).flat();
  const interactions = interactionsOf({
    users: dictionaryColumn(pairs.map(([user]) => user)),
    items: dictionaryColumn(pairs.map(([, item]) => item)),
  });
  const { queryModel, candidates, identifiers } = await fitAls(interactions, { dimensions: 8, iterations: 4 });
  const index = new BruteForce<string | readonly string[], string>({ queryModel }).index(candidates, identifiers);
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-histories-'));
  mkdirSync(join(folder, '1'));
  const seenItems = SeenItems.fromInteractions(interactions, { seenAsHistory: 'always', excludeSeen: false });
  await saveBundle(join(folder, '1', 'm.shortlist'), { index, seenItems });
  const live = await startTiny(folder);
  const answer = (query: string | string[]): string[] => index.call([query], 3).identifiers();
  const scores = async (request: object): Promise<string[]> => (await ask(live, { k: 3, ...request })).ids;
  assert.deepEqual(await scores({ history: ['i1', 'i3', 'new'] }), answer(['i1', 'i3']));
  assert.deepEqual(await scores({ query: 'u0' }), answer('u0'));
  await post(live, '/v1/events', { events: ['i1', 'i3', 'i5'].map((item) => ({ user: 'u0', item })) });
  assert.deepEqual(await scores({ query: 'u0' }), answer([...seenItems.itemsOf('u0'), 'i1', 'i3', 'i5']));
  await live.close();
});
