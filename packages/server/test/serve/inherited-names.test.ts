/** Names from outside that every object inherits: as a model, a label, a signature, an input, a feature, an attribute, a header. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fetchUnpooled, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const NAMES: readonly string[] = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty'];

const server = await startTiny(await tinyBasePath());
after(() => server.close());
const url = `http://127.0.0.1:${server.httpPort}`;
const json = (name: string, value: unknown): string => `{${JSON.stringify(name)}: ${JSON.stringify(value)}}`;

for (const name of NAMES) {
  test(`${name} as a model, a label, a signature, an input, an output or a feature is unknown, on every route`, async () => {
    const refused: readonly (readonly [string, string, string | undefined, number])[] = [
      ['GET', `/v1/models/${name}`, undefined, 404],
      ['GET', `/v1/models/${name}/metadata`, undefined, 404],
      ['POST', `/v1/models/${name}:predict`, '{"instances": ["u1"]}', 404],
      ['POST', `/v1/models/films/labels/${name}:predict`, '{"instances": ["u1"]}', 400],
      ['POST', '/v1/models/films:predict', `{"signature_name": "${name}", "instances": ["u1"]}`, 400],
      ['POST', '/v1/models/films:predict', `{"instances": [${json(name, 'u1')}]}`, 400],
      ['POST', '/v1/models/films:predict', `{"inputs": ${json(name, ['u1'])}}`, 400],
      ['GET', `/v2/models/${name}`, undefined, 404],
      ['POST', `/v2/models/${name}/infer`, '{"inputs": []}', 404],
      ['POST', `/v2/repository/models/${name}/load`, '{}', 404],
      [
        'POST',
        '/v2/models/films/infer',
        `{"inputs": [{"name": "${name}", "shape": [1], "datatype": "BYTES", "data": ["u1"]}]}`,
        400,
      ],
      [
        'POST',
        '/v2/models/films/infer',
        `{"inputs": [{"name": "query", "shape": [1], "datatype": "${name}", "data": ["u1"]}]}`,
        400,
      ],
      [
        'POST',
        '/v2/models/films/infer',
        `{"inputs": [{"name": "query", "shape": [1], "datatype": "BYTES", "data": ["u1"]}], "outputs": [{"name": "${name}"}]}`,
        400,
      ],
      ['GET', `/admin/models/${name}`, undefined, 404],
      ['PUT', `/admin/models/${name}/policy`, '{"latest": 1}', 404],
      ['PUT', '/admin/models/films/policy', json(name, 1), 400],
      ['POST', '/v1/shortlist', `{"query": "u1", "model": "${name}"}`, 404],
      ['POST', '/v1/shortlist', `{"query": "u1", "label": "${name}"}`, 400],
      ['POST', '/v1/shortlist', `{"query": ${json(name, 'u1')}}`, 400],
      ['POST', '/v1/shortlist', `{"query": "u1", "filter": ${json(name, {})}}`, 400],
      ['POST', '/v1/candidates/delete', `{"ids": ["a"], "model": "${name}"}`, 404],
    ];
    for (const [method, path, body, status] of refused) {
      const headers = { 'content-type': 'application/json', 'x-request-id': name };
      const response = await fetchUnpooled(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
      const text = await response.text();
      assert.equal(response.status, status, `${method} ${path} ${body}: ${text}`);
    }
  });
}

test('as attributes they are values like others: set, filtered by, shown, counted, also as labels and identifiers', async () => {
  for (const name of NAMES) {
    const unset = await post(server, '/v1/shortlist', `{"query": "u1", "filter": {"equals": ${json(name, 'v')}}}`);
    assert.equal(unset.status, 400, name);
    assert.match((unset.body as { error: string }).error, /genre/);
    const body = `{"candidates": [{"id": "${name}", "embedding": [9, 9, 9, 9], "attributes": ${json(name, 'v')}}]}`;
    assert.equal((await post(server, '/v1/candidates/upsert', body)).status, 200, name);
    const found = await post(server, '/v1/shortlist', `{"query": "u1", "filter": {"equals": ${json(name, 'v')}}}`);
    const { results } = found.body as { results: Record<string, unknown>[] };
    assert.equal(results.length, 1, name);
    assert.equal(Object.getOwnPropertyDescriptor(results[0]!, name)?.value, 'v');
    assert.equal(results[0]!.id, name);
    const others = await post(server, '/v1/shortlist', { query: 'u1', include: ['film1'] });
    const [film] = (others.body as { results: Record<string, unknown>[] }).results;
    assert.equal(Object.hasOwn(film!, name), false, 'nobody sent one for this candidate');
    const headers = { 'content-type': 'application/json' };
    const label = `${url}/admin/models/films/labels/${name}`;
    const given = await fetchUnpooled(label, { method: 'PUT', headers, body: '{"version": 1}' });
    assert.equal(given.status, 200);
    const labels = (JSON.parse(await given.text()) as { labels: object }).labels;
    assert.equal(Object.getOwnPropertyDescriptor(labels, name)?.value, 1);
    const predicted = await post(server, `/v1/models/films/labels/${name}:predict`, { instances: ['u1'] });
    assert.equal(predicted.status, 200);
  }
  assert.equal((await fetchUnpooled(`${url}/metrics`)).status, 200);
});
