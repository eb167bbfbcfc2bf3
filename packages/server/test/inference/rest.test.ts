/** The Open Inference Protocol over REST: JSON, binary tensors, repository. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { fetchUnpooled, post, startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

for (const processes of [1, 2]) {
  describe(`${processes} process${processes === 1 ? '' : 'es'}`, async () => {
    const server = await startTiny(await tinyBasePath(), { processes });
    after(() => server.close());
    const url = `http://127.0.0.1:${server.httpPort}`;
    const get = async (path: string): Promise<unknown> => (await fetchUnpooled(url + path)).json();
    const users = { name: 'query', shape: [2], datatype: 'BYTES', data: ['u1', 'u2'] };

    test('server and model metadata', async () => {
      assert.deepEqual(await get('/v2'), {
        name: 'shortlist',
        version: '0.1.0',
        extensions: ['model_repository', 'model_configuration', 'binary_tensor_data', 'parameters', 'statistics'],
      });
      assert.deepEqual(await get('/v2/models/films'), {
        name: 'films',
        versions: ['1'],
        platform: 'shortlist',
        inputs: [{ name: 'query', datatype: 'BYTES', shape: [-1] }],
        outputs: [
          { name: 'identifiers', datatype: 'BYTES', shape: [-1, -1] },
          { name: 'scores', datatype: 'FP32', shape: [-1, -1] },
        ],
      });
      assert.deepEqual(await get('/v2/models'), { models: ['films'] });
      const config = (await get('/v2/models/films/config')) as { input: object[] };
      assert.deepEqual(config.input, [{ name: 'query', data_type: 'TYPE_STRING', dims: ['1'] }]);
    });

    test('infer, JSON: flat or nested data, chosen outputs, k, id', async () => {
      const request = {
        id: 'r1',
        parameters: { k: 3 },
        inputs: [users],
        outputs: [{ name: 'identifiers' }],
      };
      const { status, body } = await post(server, '/v2/models/films/infer', request);
      assert.equal(status, 200);
      const answer = body as {
        id: string;
        model_version: string;
        outputs: { name: string; shape: number[]; data: string[] }[];
      };
      assert.equal(answer.id, 'r1');
      assert.equal(answer.model_version, '1');
      assert.deepEqual(
        answer.outputs.map(({ name, shape }) => [name, shape]),
        [['identifiers', [2, 3]]],
      );
      const nested = { ...request, inputs: [{ ...users, shape: [2, 1], data: [['u1'], ['u2']] }] };
      assert.deepEqual((await post(server, '/v2/models/films/versions/1/infer', nested)).body, body);
    });

    test('infer, binary tensors as Triton’s client sends and wants them', async () => {
      const words = ['u1', 'u2'].map((word) => Buffer.concat([Buffer.from([word.length, 0, 0, 0]), Buffer.from(word)]));
      const bytes = Buffer.concat(words);
      const json = Buffer.from(
        JSON.stringify({
          inputs: [{ name: 'query', shape: [2], datatype: 'BYTES', parameters: { binary_data_size: bytes.length } }],
          outputs: [{ name: 'identifiers' }, { name: 'scores', parameters: { binary_data: true } }],
          parameters: { k: 2 },
        }),
      );
      const response = await fetchUnpooled(`${url}/v2/models/films/infer`, {
        method: 'POST',
        headers: { 'Inference-Header-Content-Length': String(json.length), 'content-type': 'application/octet-stream' },
        body: Buffer.concat([json, bytes]),
      });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'application/octet-stream');
      const length = Number(response.headers.get('inference-header-content-length'));
      const body = Buffer.from(await response.arrayBuffer());
      const head = JSON.parse(body.toString('utf8', 0, length));
      assert.deepEqual(head.outputs[1], {
        name: 'scores',
        datatype: 'FP32',
        shape: [2, 2],
        parameters: { binary_data_size: 16 },
      });
      assert.equal(body.length - length, 16);
      const plain = (await post(server, '/v2/models/films/infer', { inputs: [users], parameters: { k: 2 } })).body as {
        outputs: { data: number[] }[];
      };
      const scores = Array.from({ length: 4 }, (_, i) => body.readFloatLE(length + 4 * i));
      assert.deepEqual(scores, plain.outputs[1]!.data.map(Math.fround));
    });

    test('signatures by inputs, by outputs, by name', async () => {
      const embedding = { name: 'embedding', shape: [1, 4], datatype: 'FP32', data: [1, 0, 0, 0] };
      const search = (await post(server, '/v2/models/films/infer', { inputs: [embedding] })).body as {
        outputs: { shape: number[] }[];
      };
      assert.deepEqual(search.outputs[0]!.shape, [1, 5]);
      const embed = (
        await post(server, '/v2/models/films/infer', { inputs: [users], outputs: [{ name: 'embedding' }] })
      ).body as {
        outputs: { shape: number[] }[];
      };
      assert.deepEqual(embed.outputs[0]!.shape, [2, 4]);
      const excluded = { name: 'exclusions', shape: [2, 1], datatype: 'BYTES', data: ['film1', ''] };
      assert.equal((await post(server, '/v2/models/films/infer', { inputs: [users, excluded] })).status, 200);
      const named = { inputs: [embedding], parameters: { signature_name: 'search' } };
      assert.equal((await post(server, '/v2/models/films/infer', named)).status, 200);
    });

    test('refusals', async () => {
      const cases: [object, RegExp][] = [
        [{}, /inputs: expected a list/],
        [{ inputs: [{ ...users, name: 'x' }] }, /unexpected inference inputs 'x' for model 'films'/],
        [{ inputs: [{ ...users, shape: [3] }] }, /input 'query': expected 3 elements for shape \[3\], got 2/],
        [
          { inputs: [{ ...users, datatype: 'TEXT' }] },
          /input 'query': expected a datatype of BOOL, UINT8, .*, BYTES, got "TEXT"/,
        ],
        [{ inputs: [{ ...users, data: [1, 2] }] }, /expected values of type BYTES in 'data', got 1/],
        [{ inputs: [users], outputs: [{ name: 'y' }] }, /unexpected inference output 'y' for model 'films'/],
        [
          { inputs: [{ ...users, parameters: { binary_data_size: 99 } }] },
          /expected a binary_data_size of at most 0, the bytes left, got 99/,
        ],
      ];
      for (const [request, message] of cases) {
        const { status, body } = await post(server, '/v2/models/films/infer', request);
        assert.equal(status, 400);
        assert.match((body as { error: string }).error, message);
      }
    });

    test('repository: index, unload, load; statistics count', async () => {
      assert.deepEqual((await post(server, '/v2/repository/index', {})).body, [
        { name: 'films', version: '1', state: 'READY' },
      ]);
      const { model_stats } = (await get('/v2/models/films/stats')) as {
        model_stats: { inference_count: number; inference_stats: { success: { count: number } } }[];
      };
      assert.ok(model_stats[0]!.inference_count > 0 && model_stats[0]!.inference_stats.success.count > 0);
      assert.equal((await post(server, '/v2/repository/models/films/unload', {})).status, 200);
      assert.equal((await fetchUnpooled(`${url}/v2/health/ready`)).status, 503);
      assert.deepEqual((await post(server, '/v2/repository/index', { ready: true })).body, []);
      assert.equal((await post(server, '/v2/models/films/infer', { inputs: [users] })).status, 404);
      assert.equal((await post(server, '/v2/repository/models/films/load', {})).status, 200);
      assert.equal((await post(server, '/v2/models/films/infer', { inputs: [users] })).status, 200);
    });
  });
}
