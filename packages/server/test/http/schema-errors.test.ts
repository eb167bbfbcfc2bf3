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
    /^candidates\[1\]: unknown field 'embeding', did you mean 'embedding'\? Known: 'id', 'embedding', 'features', 'attributes'$/,
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
  ['POST', '/admin/models/films/compact', '{"rebalance": true}', /^body: unknown field 'rebalance', no field is/],
  ['POST', '/admin/models/films/rebalance', '{"leaves": 3}', /^body: unknown field 'leaves', no field is expected$/],
  ['POST', '/v2/repository/index', '{"raedy": true}', /^body: unknown field 'raedy', did you mean 'ready'\?/],
  [
    'POST',
    '/v2/repository/models/films/load',
    '{"parameter": {}}',
    /^body: unknown field 'parameter', did you mean 'parameters'\?/,
  ],
  [
    'POST',
    '/v2/repository/models/films/load',
    '{"parameters": {"config": "{}"}}',
    /^parameter 'config': unknown, load takes none$/,
  ],
  [
    'POST',
    '/v2/repository/models/films/unload',
    '{"parameters": {"unload_dependent": true}}',
    /^parameter 'unload_dependent': unknown, did you mean 'unload_dependents'\?/,
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

/** Path, body, and what is answered. */
const MISTAKES: readonly (readonly [path: string, body: string, message: string])[] = [
  ['/v1/shortlist', '{"query": "u1", "k": 0}', 'k: expected an integer of at least 1, got 0'],
  ['/v1/shortlist', '{"query": "u1", "k": 1.5}', 'k: expected an integer of at least 1, got 1.5'],
  ['/v1/shortlist', '{"query": "u1", "k": "ten"}', 'k: expected an integer of at least 1, got "ten"'],
  ['/v1/shortlist', '{"query": "u1", "embedding": ["a"]}', 'embedding[0]: expected a number, got "a"'],
  ['/v1/shortlist', '{"query": "u1", "exclude": [true]}', 'exclude[0]: expected text or an integer, got true'],
  ['/v1/shortlist', '{"query": "u1", "excludeSeen": "no"}', 'excludeSeen: expected true or false, got "no"'],
  ['/v1/shortlist', '{"query": "u1", "mmr": {"weight": 2}}', 'mmr.weight: expected a number from 0 to 1, got 2'],
  ['/v1/shortlist', '{"query": "u1", "mmr": {}}', 'mmr.weight: expected a number from 0 to 1, got none'],
  ['/v1/shortlist', '{"query": "u1", "mmr": [1]}', 'mmr: expected an object, got a list of 1'],
  ['/v1/shortlist', '{"query": "u1", "timeoutMs": 0}', 'timeoutMs: expected a number greater than 0, got 0'],
  [
    '/v1/shortlist',
    '{"query": "u1", "perValue": {"a/b": 0}}',
    'perValue["a/b"]: expected an integer of at least 1, got 0',
  ],
  ['/v1/shortlist', '{"query": "u1", "history": []}', 'history: expected a list of 1 to 10000, got a list of 0'],
  ['/v1/shortlist', '[]', 'body: expected an object, got a list of 0'],
  ['/v1/shortlist', 'null', 'body: expected an object, got null'],
  ['/admin/models/films/compact', '[1]', 'body: expected an object or null, got a list of 1'],
  ['/v2/repository/index', '{"ready": "yes"}', 'ready: expected true or false, got "yes"'],
  ['/v2/repository/models/films/load', '{"parameters": 1}', 'parameters: expected an object, got 1'],
  ['/v1/candidates/delete', '{}', 'ids: expected a list of 1 to 10000, got none'],
  ['/v1/shortlist', '{"query": "u1", "exclude": ["a", 5]}', 'exclude[1]: expected text, got 5'],
  ['/v1/candidates/delete', '{"ids": ["a", "b", 5]}', 'ids[2]: expected text, got 5'],
  ['/v1/candidates/upsert', '{"candidates": [{"id": "a"', 'body: expected JSON, got other text'],
  ...[
    ['"id": 7, "embedding": [1, 0, 0, 0]', '.id: expected text, got 7'],
    ['"id": "b", "embedding": [1]', '.embedding: expected 4 numbers, got 1'],
    ['"id": "b", "embedding": [1, 0, 0, 1e39]', '.embedding[3]: expected a number that float32 can hold, got 1e+39'],
    ['"id": "b"', '.embedding: expected embedding or features, got neither'],
    [
      '"id": "b", "embedding": [1, 0, 0, 0], "attributes": {"year": "x"}',
      '.attributes.year: expected a number, got "x"',
    ],
  ].map(
    ([second, message]) =>
      [
        '/v1/candidates/upsert',
        `{"candidates": [{"id": "a", "embedding": [1, 0, 0, 0]}, {${second}}]}`,
        `candidates[1]${message}`,
      ] as const,
  ),
  [
    '/v1/events',
    '{"events": [{"user": "u", "item": "a"}, {"user": "u", "item": 1}]}',
    'events[1].item: expected text, got 1',
  ],
  ['/v1/candidates/upsert', '{"candidates": [{}]}', 'candidates[0].id: expected text or an integer, got none'],
  [
    '/v1/candidates/upsert',
    '{"candidates": [{"id": "a", "attributes": {"year": {}}}]}',
    'candidates[0].attributes.year: expected text or a number or true or false or null or a list, got an object',
  ],
  [
    '/v1/events',
    '{"events": [{"user": "", "item": 1}]}',
    'events[0].user: expected text that is not empty or an integer, got ""',
  ],
];

for (const [path, body, message] of MISTAKES) {
  test(`${path} ${body}`, async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetchUnpooled(`http://127.0.0.1:${server.httpPort}${path}`, {
      method: 'POST',
      headers,
      body,
    });
    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as { error: string }).error, message);
  });
}

test('compaction takes no body, null, or an object without fields', async () => {
  const url = `http://127.0.0.1:${server.httpPort}/admin/models/films/compact`;
  for (const body of [undefined, 'null', '{}']) {
    const headers = { 'content-type': 'application/json' };
    const response = await fetchUnpooled(url, { method: 'POST', ...(body !== undefined && { headers, body }) });
    assert.equal(response.status, 200, `${body}: ${await response.text()}`);
  }
});

test('a long value is cut', async () => {
  const body = JSON.stringify({ query: 'u1', k: 'x'.repeat(1_000) });
  const headers = { 'content-type': 'application/json' };
  const url = `http://127.0.0.1:${server.httpPort}/v1/shortlist`;
  const response = await fetchUnpooled(url, { method: 'POST', headers, body });
  const { error } = (await response.json()) as { error: string };
  assert.equal(error, `k: expected an integer of at least 1, got "${'x'.repeat(59)}…"`);
});
