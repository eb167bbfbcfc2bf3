/** Bodies of the Open Inference Protocol over REST, to the byte where a client could tell. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const server = await startTiny(await tinyBasePath());
after(() => server.close());

async function send(method: string, path: string, body?: string): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${server.httpPort}${path}`, {
    method,
    ...(body === undefined ? {} : { body }),
  });
  return [response.status, await response.text()];
}

test('health, readiness and metadata, with and without a version', async () => {
  assert.deepEqual(await send('GET', '/v2/health/live'), [200, '{"live":true}']);
  assert.deepEqual(await send('GET', '/v2/health/ready'), [200, '{"ready":true}']);
  for (const path of ['/v2/models/films/ready', '/v2/models/films/versions/1/ready']) {
    assert.deepEqual(await send('GET', path), [200, '{"name":"films","ready":true}']);
  }
  const metadata =
    '{"name":"films","versions":["1"],"platform":"shortlist","inputs":[{"name":"query","datatype":"BYTES","shape":[-1]}],' +
    '"outputs":[{"name":"identifiers","datatype":"BYTES","shape":[-1,-1]},{"name":"scores","datatype":"FP32","shape":[-1,-1]}]}';
  for (const path of ['/v2/models/films', '/v2/models/films/versions/1']) {
    assert.deepEqual(await send('GET', path), [200, metadata]);
  }
  assert.deepEqual(await send('GET', '/v2/models'), [200, '{"models":["films"]}']);
});

test('infer: the names, their order, id and parameters', async () => {
  const request = {
    id: 'a',
    parameters: { k: 1 },
    inputs: [{ name: 'embedding', shape: [1, 4], datatype: 'FP32', data: [1, 0, 0, 0] }],
  };
  const [status, text] = await send('POST', '/v2/models/films/versions/1/infer', JSON.stringify(request));
  assert.equal(status, 200);
  assert.match(
    text,
    /^\{"id":"a","model_name":"films","model_version":"1","outputs":\[\{"name":"identifiers","datatype":"BYTES","shape":\[1,1\],"data":\["film\d+"\]\},\{"name":"scores","datatype":"FP32","shape":\[1,1\],"data":\[0\.\d{1,9}\]\}\]\}$/,
  );
  const { id: _, ...nameless } = request;
  const [, without] = await send('POST', '/v2/models/films/infer', JSON.stringify(nameless));
  assert.equal(without, text.replace('"id":"a",', ''));
  const [, numbered] = await send('POST', '/v2/models/films/infer', JSON.stringify(request).replace('"a"', '1.0'));
  assert.equal(numbered, text.replace('"a"', '"1"'));
});

test('refusals are {"error": text} and nothing else', async () => {
  const input = { name: 'embedding', shape: [1, 4], datatype: 'FP32', data: [1, 0, 0, 0] };
  const cases: [string, string, string | undefined, number, string][] = [
    ['GET', '/v2/models/films/versions/9', undefined, 404, 'Servable not found for request: Specific(films, 9)'],
    [
      'GET',
      '/v2/models/films/versions/x/ready',
      undefined,
      400,
      "failed to get model version from specified version string 'x'",
    ],
    ['GET', '/v2/nothing', undefined, 404, 'path: expected one that /openapi.json lists, got GET /v2/nothing'],
    ['POST', '/v2/repository/index', '[', 400, 'body: expected a JSON object, got something else'],
    ['POST', '/v2/repository/index', '[1]', 400, 'body: expected a JSON object, got a list of 1'],
    ['POST', '/v2/models/films/infer', '{"inputs": 1}', 400, 'inputs: expected a list, got 1'],
    ...(
      [
        [{ inputs: [input, input] }, "input 'embedding': expected once, got twice"],
        [{ id: {} }, 'id: expected text, got an object'],
        [{ inputs: [{ ...input, shape: ['1', true] }] }, `shape of input 'embedding': expected whole numbers, got "1"`],
        [{ parameters: { timeout: '5' } }, 'parameter timeout: expected microseconds, got "5"'],
        [{ parameters: { exclude_sen: true } }, "parameter 'exclude_sen': unknown, did you mean 'exclude_seen'?"],
        [
          { inputs: [{ ...input, parameters: { binary_data_size: 1.5 } }] },
          "input 'embedding': expected a binary_data_size of at most 0, the bytes left, got 1.5",
        ],
      ] as const
    ).map(([part, error]): (typeof cases)[number] => [
      'POST',
      '/v2/models/films/infer',
      JSON.stringify({ inputs: [input], ...part }),
      400,
      error,
    ]),
  ];
  for (const [method, path, body, status, error] of cases) {
    assert.deepEqual(await send(method, path, body), [status, JSON.stringify({ error })], path);
  }
});

test('metrics: TF Serving’s path and names', async () => {
  await send('POST', '/v1/models/films:predict', '{"instances": ["u1"]}');
  const [, text] = await send('GET', '/monitoring/prometheus/metrics');
  for (const name of ['request_count', 'request_latency', 'runtime_latency', 'model_warmup_latency']) {
    assert.match(text, new RegExp(`^:tensorflow:serving:${name}(_count)?\\{`, 'm'), name);
  }
});
