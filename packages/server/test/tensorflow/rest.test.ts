/** TF Serving's REST API: exact bodies and messages, from its sources and documentation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toServingError } from '../../src/status/serving-error.ts';
import { answerRest } from '../../src/tensorflow/rest.ts';
import { parseRestPath } from '../../src/tensorflow/rest-path.ts';
import { tinyRegistry } from '../fixtures/tiny-registry.ts';
import { TinyServable } from '../fixtures/tiny-servable.ts';

const { registry, model } = await tinyRegistry([1, 7]);
const limits = { queries: 100, k: 100 };
const query = async (method: string, path: string, body = ''): Promise<string> =>
  answerRest(registry, parseRestPath(method, path), body, { limits });

const refusal = async (method: string, path: string, body = ''): Promise<[number, string]> => {
  try {
    await query(method, path, body);
  } catch (error) {
    const { httpStatus, message } = toServingError(error);
    return [httpStatus, message];
  }
  assert.fail('expected a refusal');
};
const predict = (body: unknown, path = '/v1/models/tiny:predict'): Promise<string> =>
  query('POST', path, JSON.stringify(body));
const refusedBody = (body: string): Promise<[number, string]> => refusal('POST', '/v1/models/tiny:predict', body);

const ROW = `{
    "predictions": [
        {
            "identifiers": ["a", "b"],
            "scores": [1.0, 0.5]
        }
    ]
}`;

test('predict, row form: values, objects, base64', async () => {
  assert.equal(await predict({ instances: ['42'] }), ROW);
  assert.equal(await predict({ instances: [{ user_id: '42' }] }), ROW);
  assert.equal(await predict({ instances: [{ b64: Buffer.from('42').toString('base64') }] }), ROW);
  assert.equal(await predict({ signature_name: 'serving_default', instances: [['42']] }), ROW);
});

test('predict, column form: every value on its own line', async () => {
  assert.equal(
    await predict({ inputs: { user_id: ['42'], more: 1 } }),
    `{
    "outputs": {
        "identifiers": [
            [
                "a",
                "b"
            ]
        ],
        "scores": [
            [
                1.0,
                0.5
            ]
        ]
    }
}`,
  );
  assert.equal(await predict({ inputs: ['42'] }), await predict({ inputs: { user_id: ['42'] } }));
});

test('one output is bare, its items share a line', async () => {
  assert.equal(
    await predict({ signature_name: 'embed', instances: ['42', '7'] }),
    `{
    "predictions": [[1.0, 0.0], [0.0, 1.0]
    ]
}`,
  );
  assert.equal(
    await predict({ signature_name: 'embed', inputs: ['7'] }),
    `{
    "outputs": [
        [
            0.0,
            1.0
        ]
    ]
}`,
  );
});

test('search and query_with_exclusions', async () => {
  assert.match(
    await predict({ signature_name: 'search', instances: [[0, 1.5]] }),
    /"identifiers": \["b", "c"\],\n {12}"scores": \[3\.0, 1\.5\]/,
  );
  assert.match(
    await predict({ signature_name: 'query_with_exclusions', instances: [{ user_id: '42', exclusions: ['a', ''] }] }),
    /"identifiers": \["b", "c"\]/,
  );
});

test('floats accept NaN and Infinity tokens; results print them', async () => {
  const body = '{"signature_name": "search", "instances": [[Infinity, 1.0]]}';
  assert.match(await query('POST', '/v1/models/tiny:predict', body), /"scores": \[Infinity, Infinity\]/);
});

test('versions and labels', async () => {
  model.setLabel('stable', 1);
  assert.equal(await predict({ instances: ['42'] }, '/v1/models/tiny/versions/7:predict'), ROW);
  assert.equal(await predict({ instances: ['42'] }, '/v1/models/tiny/labels/stable:predict'), ROW);
  assert.equal(await predict({ instances: ['42'] }, '/V1/Models/%74iny:PREDICT'), ROW);
  assert.deepEqual(await refusal('POST', '/v1/models/tiny/labels/nope:predict', '{}'), [
    400,
    'Unrecognized servable version label: nope',
  ]);
  assert.deepEqual(await refusal('POST', '/v1/models/tiny/versions/42:predict', '{}'), [
    404,
    'Servable not found for request: Specific(tiny, 42)',
  ]);
  assert.deepEqual(await refusal('POST', '/v1/models/x:predict', '{}'), [
    404,
    'Servable not found for request: Latest(x)',
  ]);
  assert.throws(() => model.setLabel('next', 9), {
    message: 'Request to assign label to version 9 of model tiny, which is not currently available for inference',
  });
});

test('malformed paths and methods', async () => {
  assert.deepEqual(await refusal('POST', '/v1/models/x:foo'), [400, 'Malformed request: POST /v1/models/x:foo']);
  assert.deepEqual(await refusal('GET', '/v1/models/x:predict'), [400, 'Malformed request: GET /v1/models/x:predict']);
  assert.deepEqual(await refusal('GET', '/v1/models'), [400, 'Missing model name in request.']);
  assert.deepEqual(await refusal('DELETE', '/v1/models/x'), [400, 'Malformed request: DELETE /v1/models/x']);
});

test('status', async () => {
  assert.equal(
    await query('GET', '/v1/models/tiny/versions/1'),
    `{
 "model_version_status": [
  {
   "version": "1",
   "state": "AVAILABLE",
   "status": {
    "error_code": "OK",
    "error_message": ""
   }
  }
 ]
}
`,
  );
  const all = JSON.parse(await query('GET', '/v1/models/tiny'));
  assert.deepEqual(
    all.model_version_status.map((status: { version: string }) => status.version),
    ['7', '1'],
  );
  assert.deepEqual(await refusal('GET', '/v1/models/tiny/versions/3'), [404, 'Could not find version 3 of model tiny']);
  assert.deepEqual(await refusal('GET', '/v1/models/x'), [404, 'Could not find any versions of model x']);
});

test('metadata', async () => {
  const metadata = JSON.parse(await query('GET', '/v1/models/tiny/metadata'));
  assert.deepEqual(metadata.model_spec, { name: 'tiny', signature_name: '', version: '7' });
  const signatures = metadata.metadata.signature_def.signature_def;
  assert.deepEqual(Object.keys(signatures), [
    'serving_default',
    'query_with_exclusions',
    'query_with_rules',
    'search',
    'query_by_history',
    'similar',
    'similar_to_embedding',
    'embed',
  ]);
  assert.deepEqual(signatures.serving_default.inputs, {
    user_id: {
      dtype: 'DT_STRING',
      tensor_shape: { dim: [{ size: '-1', name: '' }], unknown_rank: false },
      name: 'serving_default_user_id:0',
    },
  });
  assert.equal(signatures.serving_default.method_name, 'tensorflow/serving/predict');
});

test('refused bodies, with TF Serving’s words', async () => {
  const cases: [string, string][] = [
    ['', 'JSON Parse error: The document is empty'],
    ['{', 'JSON Parse error: Missing a name for object member. at offset: 1'],
    ['[1]', 'JSON Value: [\n    1\n] Is not object'],
    ['{}', "Missing 'inputs' or 'instances' key"],
    ['{"instances": 1}', `JSON Value: {\n    "instances": 1\n} Excepting 'instances' to be an list/array`],
    ['{"instances": []}', `JSON Value: {\n    "instances": []\n} No values in 'instances' array`],
    [
      '{"instances": ["1"], "inputs": ["1"]}',
      `JSON Value: {\n    "instances": [\n        "1"\n    ],\n    "inputs": [\n        "1"\n    ]\n} ` +
        "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ",
    ],
    [
      '{"signature_name": 100}',
      `JSON Value: {\n    "signature_name": 100\n} not formatted correctly. 'signature_name' key must be a string value.`,
    ],
    ['{"signature_name": "x", "instances": [1]}', 'Serving signature name: "x" not found in signature def'],
    [
      '{"instances": [42]}',
      "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: " +
        'JSON Value: 42 Type: Number is not of expected type: string',
    ],
    [
      '{"instances": [{"user_id": "1", "x": 1}]}',
      "Failed to process element: 0 key: x of 'instances' list. Error: INVALID_ARGUMENT: " +
        'JSON object: does not have named input: x',
    ],
    ['{"instances": [{"user_id": "1"}, "2"]}', 'Expecting object but got list at item 1 of input list'],
    ['{"instances": ["1", {"user_id": "2"}]}', 'Expecting value/list but got object at item 1 of input list'],
    ['{"inputs": {"user": ["1"]}}', "Missing named input: user_id in 'inputs' object."],
    [
      '{"signature_name": "search", "instances": [[1, 2], [3]]}',
      "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 1",
    ],
    [
      '{"signature_name": "search", "inputs": [[1, "x"]]}',
      'JSON Value: "x" Type: String is not of expected type: float',
    ],
    [
      '{"signature_name": "search", "inputs": [[1, 16777217]]}',
      'Cannot convert JSON value: 16777217 to float without loss of precision.',
    ],
    ['{"signature_name": "search", "inputs": [[1, [2]]]}', 'Encountered list at unexpected level: 2 expected < 2'],
    [
      '{"signature_name": "query_with_exclusions", "instances": ["1"]}',
      'instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map',
    ],
  ];
  for (const [body, message] of cases) assert.deepEqual(await refusedBody(body), [400, message], body);
});

test('int64 identifiers and features are exact', async () => {
  const make = (): TinyServable => {
    const servable = new TinyServable([
      [9007199254740993n, 1, 0],
      [5n, 0, 1],
    ]);
    servable.identifierDatatype = 'INT64';
    servable.features = [{ name: 'user_id', datatype: 'INT64', shape: [] }];
    return servable;
  };
  const { registry } = await tinyRegistry([1], { make });
  const body = '{"instances": [42]}';
  assert.match(
    await answerRest(registry, parseRestPath('POST', '/v1/models/tiny:predict'), body, { limits }),
    /"identifiers": \[9007199254740993, 5\]/,
  );
  const excluded =
    '{"signature_name": "query_with_exclusions", "instances": [{"user_id": 42, "exclusions": [9007199254740993]}]}';
  assert.match(
    await answerRest(registry, parseRestPath('POST', '/v1/models/tiny:predict'), excluded, { limits }),
    /"identifiers": \[5\]/,
  );
  await assert.rejects(
    async () =>
      answerRest(registry, parseRestPath('POST', '/v1/models/tiny:predict'), '{"instances": [42.0]}', { limits }),
    /JSON Value: 42\.0 Type: Number is not of expected type: int64/,
  );
});
