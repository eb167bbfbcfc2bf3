/** A field that a request may not have is named, with the nearest that it may have, on every JSON route. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fetchUnpooled, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const server = await startTiny(await tinyBasePath());
after(() => server.close());

/** Method, path, body, and what is answered. */
const MISSPELT: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'POST',
    '/v1/shortlist',
    '{"query": "u1", "exclud": []}',
    /^body: unknown field 'exclud', did you mean 'exclude'\? Known: 'model', /,
  ],
  ['POST', '/v1/shortlist', '{"query": "u1", "__proto__": 1}', /^body: unknown field '__proto__'/],
  ['POST', '/v1/shortlist', '{"query": "u1", "constructor": 1}', /^body: unknown field 'constructor'/],
  [
    'POST',
    '/v1/candidates/upsert',
    '{"candidate": []}',
    /^body: unknown field 'candidate', did you mean 'candidates'\?/,
  ],
  [
    'POST',
    '/v1/candidates/upsert',
    '{"candidates": [{"id": "a", "embedding": [1, 2, 3, 4]}, {"id": "b", "embeding": [1]}]}',
    /^body\.candidates\[1\]: unknown field 'embeding', did you mean 'embedding'\? Known: 'id', 'embedding', 'features', 'attributes'$/,
  ],
  [
    'POST',
    '/v1/candidates/delete',
    '{"ids": ["a"], "modle": "films"}',
    /^body: unknown field 'modle', did you mean 'model'\?/,
  ],
  ['PUT', '/admin/models/films/policy', '{"lattest": 1}', /^body: unknown field 'lattest', did you mean 'latest'\?/],
  [
    'PUT',
    '/admin/models/films/labels/stable',
    '{"versoin": 1}',
    /^body: unknown field 'versoin', did you mean 'version'\?/,
  ],
];

for (const [method, path, body, message] of MISSPELT) {
  test(`${method} ${path} ${body.slice(0, 40)}`, async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}${path}`, { method, headers, body });
    assert.equal(response.status, 400);
    assert.match(((await response.json()) as { error: string }).error, message);
  });
}

test('other mistakes keep their place', async () => {
  const headers = { 'content-type': 'application/json' };
  for (const [body, message] of [
    ['{"query": "u1", "k": 0}', /^body\.k must be >= 1$/],
    ['{"query": "u1", "embedding": ["a"]}', /^body\.embedding\[0\] must be number$/],
    ['[]', /^body must be object$/],
  ] as const) {
    const response = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}/v1/shortlist`, {
      method: 'POST',
      headers,
      body,
    });
    assert.equal(response.status, 400);
    assert.match(((await response.json()) as { error: string }).error, message);
  }
});
