/** Bodies of TF Serving's REST API that the routes alone do not reach: outputs of other types, states, metadata. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VersionRecord } from '../../src/models/version-record.ts';
import { printStatus, statusMessage } from '../../src/tensorflow/describe.ts';
import { printOutputs, printPredictions } from '../../src/tensorflow/predict-response.ts';
import { answerRest } from '../../src/tensorflow/rest.ts';
import { parseRestPath } from '../../src/tensorflow/rest-path.ts';
import type { Tensor } from '../../src/tensors/tensor.ts';
import { tinyRegistry } from '../fixtures/tiny-registry.ts';

const { registry } = await tinyRegistry([1]);
const query = async (method: string, path: string, body = ''): Promise<string> =>
  answerRest(registry, parseRestPath(method, path), body, { limits: { queries: 100, k: 100 } });
const outputs = (tensors: Record<string, Tensor>): Map<string, Tensor> => new Map(Object.entries(tensors));
const words: Tensor = { datatype: 'BYTES', shape: [2], data: [Buffer.from('é'), Buffer.from([255])] };

test('an output whose name ends in _bytes is base64, others are text', () => {
  assert.equal(
    printPredictions(outputs({ raw_bytes: words })),
    `{
    "predictions": [{
    "b64": "w6k="
}, {
    "b64": "/w=="
}
    ]
}`,
  );
  const text: Tensor = { ...words, data: ['a"b', 'c'] };
  assert.deepEqual(JSON.parse(printPredictions(outputs({ names: text }))), { predictions: ['a"b', 'c'] });
  assert.deepEqual(JSON.parse(printOutputs(outputs({ raw_bytes: words, names: text }))), {
    outputs: { raw_bytes: [{ b64: 'w6k=' }, { b64: '/w==' }], names: ['a"b', 'c'] },
  });
});

test('bool, whole numbers, 64-bit integers and tokens that are no JSON', () => {
  const all = outputs({
    flags: { datatype: 'BOOL', shape: [2], data: [true, false] },
    counts: { datatype: 'INT64', shape: [2], data: [2n ** 60n, -1n] },
    numbers: { datatype: 'FP32', shape: [2, 2], data: [1, Math.fround(0.2), Number.NaN, Number.NEGATIVE_INFINITY] },
  });
  assert.equal(
    printPredictions(all),
    `{
    "predictions": [
        {
            "flags": true,
            "counts": 1152921504606846976,
            "numbers": [1.0, 0.2]
        },
        {
            "flags": false,
            "counts": -1,
            "numbers": [NaN, -Infinity]
        }
    ]
}`,
  );
});

test('row form wants one batch size of all outputs', () => {
  const one: Tensor = { datatype: 'FP32', shape: [1], data: [1] };
  const two: Tensor = { datatype: 'FP32', shape: [2], data: [1, 2] };
  assert.throws(() => printPredictions(outputs({ one, two })), {
    message: 'Tensor name: two has inconsistent batch size: 2 expecting: 1',
  });
  assert.throws(() => printPredictions(outputs({ scalar: { datatype: 'FP32', shape: [], data: [1] } })), {
    message: 'Tensor name: scalar has no shape information ',
  });
});

test('objects of the row form have exactly the signature’s keys', async () => {
  const only = "Failed to process element: 1 of 'instances' list. JSON object: {} must only have keys: user_id";
  await assert.rejects(query('POST', '/v1/models/tiny:predict', '{"instances": [{"user_id": "1"}, {}]}'), {
    message: only,
  });
  await assert.rejects(
    query('POST', '/v1/models/tiny:predict', '{"signature_name": "query_with_exclusions", "inputs": ["1"]}'),
    {
      message:
        'inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map',
    },
  );
});

test('what stands behind the first JSON value is not looked at', async () => {
  const body = '{"instances": ["42"]}';
  assert.equal(
    await query('POST', '/v1/models/tiny:predict', `${body} and more`),
    await query('POST', '/v1/models/tiny:predict', body),
  );
});

test('states by name in REST and by number in gRPC, with the reason of an END', () => {
  const record = (state: VersionRecord['state'], more: Partial<VersionRecord> = {}): VersionRecord => ({
    version: 123,
    foundAt: '',
    path: '',
    fingerprint: '',
    state,
    errorCode: 'OK',
    errorMessage: '',
    served: undefined,
    journal: undefined,
    foreign: undefined,
    ...more,
  });
  const numbers = { START: 10, LOADING: 20, AVAILABLE: 30, UNLOADING: 40, END: 50 } as const;
  for (const [state, number] of Object.entries(numbers) as [keyof typeof numbers, number][]) {
    assert.deepEqual(JSON.parse(printStatus([record(state)])), {
      model_version_status: [{ version: '123', state, status: { error_code: 'OK', error_message: '' } }],
    });
    assert.deepEqual(statusMessage([record(state)]), {
      model_version_status: [{ version: '123', state: number, status: { error_code: 0, error_message: '' } }],
    });
  }
  const failed = record('END', { errorCode: 'NOT_FOUND', errorMessage: 'why' });
  assert.deepEqual(JSON.parse(printStatus([failed])).model_version_status[0].status, {
    error_code: 'NOT_FOUND',
    error_message: 'why',
  });
  assert.deepEqual((statusMessage([failed]) as { model_version_status: object[] }).model_version_status[0], {
    version: '123',
    state: 50,
    status: { error_code: 5, error_message: 'why' },
  });
});

test('metadata to the byte: proto names, 64-bit integers as text, defaults printed', async () => {
  const text = await query('GET', '/v1/models/tiny/metadata');
  const dim = (size: number, depth: number): string =>
    [`{`, ` "size": "${size}",`, ` "name": ""`, `}`].map((line) => ' '.repeat(depth) + line).join('\n');
  const info = (dtype: string, sizes: number[], name: string): string =>
    `{
       "dtype": "${dtype}",
       "tensor_shape": {
        "dim": [
${sizes.map((size) => dim(size, 9)).join(',\n')}
        ],
        "unknown_rank": false
       },
       "name": "${name}"
      }`;
  const head = `{
 "model_spec": {
  "name": "tiny",
  "signature_name": "",
  "version": "1"
 },
 "metadata": {
  "signature_def": {
   "signature_def": {
    "serving_default": {
     "inputs": {
      "user_id": ${info('DT_STRING', [-1], 'serving_default_user_id:0')}
     },
     "outputs": {
      "identifiers": ${info('DT_STRING', [-1, -1], 'serving_default_identifiers:0')},
      "scores": ${info('DT_FLOAT', [-1, -1], 'serving_default_scores:0')}
     },
     "method_name": "tensorflow/serving/predict"
    },
`;
  assert.equal(text.slice(0, head.length), head);
  assert.ok(text.endsWith('   }\n  }\n }\n}\n'));
});
