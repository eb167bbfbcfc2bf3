/** An upsert merges attributes: over each protocol, over replicas, after a restart and after compaction. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { serviceOf } from '../../src/grpc/definitions.ts';
import type { ShortlistServer } from '../../src/index.ts';
import { bothIndexes, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const embedding = [1, 0, 0, 0];

/** A name that an assignment would not make a property. */
const PROTO = '__proto__';
const ODD: object = JSON.parse(`{"${PROTO}": "p", "constructor": "c", "toString": "t"}`);

/** A model of a server. */
interface Served {
  server: ShortlistServer;
  model: string;
}

async function upsertOverRest({ server, model }: Served, id: string, attributes: object): Promise<void> {
  const { status, body } = await post(server, '/v1/candidates/upsert', {
    model,
    candidates: [{ id, embedding, attributes }],
  });
  assert.equal(status, 200, JSON.stringify(body));
}

async function upsertOverGrpc({ server, model }: Served, id: string, attributes: object): Promise<void> {
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = serviceOf('shortlist.v1.CandidateService').Upsert!;
  const message = (value: unknown): object =>
    value === null ? {} : typeof value === 'number' ? { number: value } : { text: value };
  const request = {
    model,
    candidates: [
      {
        id: { text: id },
        embedding,
        attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, message(value)])),
      },
    ],
  };
  await new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error) =>
      error ? reject(error) : resolve(),
    );
  });
  client.close();
}

/** Attributes of a candidate as each of the processes shows them. */
async function attributesOf({ server, model }: Served, id: string, processes: number): Promise<object> {
  const shown: object[] = [];
  for (let process = 0; process < processes; process++) {
    const { body } = await post(server, '/v1/shortlist', { model, embedding, include: [id] });
    const [{ id: _, score: __, ...attributes }] = (body as { results: [{ id: string; score: number }] }).results;
    shown.push(attributes);
  }
  for (const other of shown) assert.deepEqual(other, shown[0]);
  return shown[0]!;
}

async function change(served: Served): Promise<void> {
  await upsertOverRest(served, 'film1', { genre: 'western' });
  await upsertOverGrpc(served, 'film2', { genre: 'western' });
  await upsertOverRest(served, 'film3', { genre: null });
  await upsertOverGrpc(served, 'film4', { genre: null, year: 7 });
  await upsertOverRest(served, 'film5', {});
  await upsertOverRest(served, 'film6', ODD);
  await upsertOverGrpc(served, 'film7', ODD);
  await upsertOverRest(served, 'new', { genre: 'new', year: 1 });
  await upsertOverRest(served, 'new', { year: null });
  const { server, model } = served;
  assert.equal((await post(server, '/v1/candidates/delete', { model, ids: ['film8', 'new2'] })).status, 200);
  await upsertOverRest(served, 'film8', { genre: 'again' });
}

const odd = Object.entries(ODD);
/** Attributes of candidates after `change`. */
const EXPECTED: Readonly<Record<string, object>> = {
  film1: { genre: 'western', year: 1961, inStock: false },
  film2: { genre: 'western', year: 1962, inStock: true },
  film3: { year: 1963, inStock: false },
  film4: { year: 7, inStock: true },
  film5: { genre: 'horror', year: 1965, inStock: false },
  film6: Object.fromEntries([['genre', 'comedy'], ['year', 1966], ['inStock', true], ...odd]),
  film7: Object.fromEntries([['genre', 'drama'], ['year', 1967], ['inStock', false], ...odd]),
  film9: { genre: 'comedy', year: 1969, inStock: false },
  new: { genre: 'new' },
  film8: { genre: 'again' },
};

for (const processes of [1, 2]) {
  const many = processes === 1 ? 'one process' : 'two processes';
  test(`BruteForce and ScaNN in ${many}: what an upsert does not name stays, null takes away, a deleted candidate starts anew`, async () => {
    const models = await bothIndexes();
    const options = { models, processes, grpcPort: 0 };
    let server = await startTiny('', options);
    for (const { name } of models) await change({ server, model: name });
    const check = async (): Promise<void> => {
      for (const { name: model } of models) {
        for (const [id, attributes] of Object.entries(EXPECTED)) {
          assert.deepEqual(await attributesOf({ server, model }, id, processes), attributes, `${model}: ${id}`);
        }
        const filter = JSON.parse(`{"equals": {"${PROTO}": "p"}}`);
        const { body } = await post(server, '/v1/shortlist', { model, embedding, filter });
        const found = (body as { results: { id: string }[] }).results.map(({ id }) => id);
        assert.deepEqual(found.sort(), ['film6', 'film7'], model);
      }
    };
    await check();
    if (processes === 1) {
      await server.close();
      server = await startTiny('', options);
      await check();
    }
    for (const { name } of models) {
      assert.equal((await post(server, `/admin/models/${name}/compact`, {})).status, 200);
    }
    await check();
    await server.close();
    server = await startTiny('', options);
    await check();
    await server.close();
  });
}

test('a filter on an attribute that is not there is refused with those that are, over every process', async () => {
  const server = await startTiny(await tinyBasePath(), { processes: 2 });
  for (let process = 0; process < 2; process++) {
    const refused = await post(server, '/v1/shortlist', { query: 'u1', filter: { equals: { gnre: 'x' } } });
    const { error, code } = refused.body as { error: string; code: string };
    assert.deepEqual([refused.status, code], [400, 'INVALID_ARGUMENT']);
    assert.equal(
      error,
      "filter.equals.gnre: unknown attribute, did you mean 'genre'? Known: 'genre', 'year', 'inStock'",
    );
  }
  const kind = await post(server, '/v1/shortlist', { query: 'u1', filter: { equals: { year: '1990' } } });
  assert.match((kind.body as { error: string }).error, /^filter\.equals\.year: expected a number, .* got "1990"$/);
  await server.close();
});
