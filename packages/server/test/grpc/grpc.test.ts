/** gRPC with clients made of the same public definitions: TF Serving, Open Inference, ours, health, reflection. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import { DEFINITIONS, serviceOf } from '../../src/grpc/definitions.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const server = await startTiny(await tinyBasePath(), { grpcPort: 0 });
const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
after(async () => {
  client.close();
  await server.close();
});

// biome-ignore lint/suspicious/noExplicitAny: messages are read as a client without types reads them
type Message = any;

function call(service: string, method: string, request: object): Promise<Message> {
  const { path, requestSerialize, responseDeserialize } = (service === 'health' ? healthService : serviceOf(service))[
    method
  ]!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), (error, message) =>
      error ? reject(error) : resolve(message),
    );
  });
}
const tensorflow = (method: string, request: object): Promise<Message> =>
  call('tensorflow.serving.PredictionService', method, request);
const inference = (method: string, request: object): Promise<Message> =>
  call('inference.GRPCInferenceService', method, request);
const strings = (...words: string[]): object => ({
  dtype: 7,
  tensor_shape: { dim: [{ size: words.length }] },
  string_val: words.map((word) => Buffer.from(word)),
});
const texts = (bytes: Buffer[]): string[] => bytes.map((part) => part.toString());

test('PredictionService/Predict', async () => {
  const answer = await tensorflow('Predict', { model_spec: { name: 'films' }, inputs: { query: strings('u1', 'u2') } });
  assert.deepEqual(
    answer.outputs.identifiers.tensor_shape.dim.map((dim: Message) => dim.size),
    ['2', '5'],
  );
  assert.equal(answer.outputs.scores.float_val.length, 10);
  assert.equal(answer.model_spec.version.value, '1');
  assert.equal(answer.model_spec.signature_name, 'serving_default');
  const floats = Buffer.alloc(16);
  floats.writeFloatLE(1);
  const search = await tensorflow('Predict', {
    model_spec: { name: 'films', version: { value: 1 }, signature_name: 'search' },
    inputs: { embedding: { dtype: 1, tensor_shape: { dim: [{ size: 1 }, { size: 4 }] }, tensor_content: floats } },
    output_filter: ['identifiers'],
  });
  assert.deepEqual(Object.keys(search.outputs), ['identifiers']);
  // One value stands for all elements.
  const broadcast = await tensorflow('Predict', {
    model_spec: { name: 'films', signature_name: 'search' },
    inputs: { embedding: { dtype: 1, tensor_shape: { dim: [{ size: 1 }, { size: 4 }] }, float_val: [0.5] } },
  });
  assert.equal(texts(broadcast.outputs.identifiers.string_val).length, 5);
});

test('Predict refuses with TF Serving’s words', async () => {
  const refused = async (request: object, code: number, details: string): Promise<void> => {
    await assert.rejects(tensorflow('Predict', request), (error: ServiceError) => {
      assert.equal(error.details, details);
      assert.equal(error.code, code);
      return true;
    });
  };
  await refused({}, 3, 'Missing ModelSpec');
  await refused({ model_spec: { name: 'x' } }, 5, 'Servable not found for request: Latest(x)');
  await refused({ model_spec: { name: 'films', version_label: 'l' } }, 3, 'Unrecognized servable version label: l');
  await refused(
    { model_spec: { name: 'films' }, inputs: { a: strings('u1'), b: strings('u1') } },
    3,
    'input size does not match signature: 2!=1 len({a,b}) != len({query}). Sent extra: {a,b}. Missing but required: {query}.',
  );
});

test('what is not retrieval is UNIMPLEMENTED, and the connection goes on', async () => {
  const bytes = (buffer: Buffer): Buffer => buffer;
  for (const method of [
    'tensorflow.serving.PredictionService/Classify',
    'tensorflow.serving.PredictionService/Regress',
    'tensorflow.serving.PredictionService/MultiInference',
    'tensorflow.serving.ModelService/HandleReloadConfigRequest',
  ]) {
    const refused = new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(`/${method}`, bytes, bytes, Buffer.alloc(0), new Metadata(), (error) => resolve(error));
    });
    const error = await refused;
    assert.equal(error?.code, 12, method);
    assert.match(error.details, new RegExp(`does not implement.*${method}`));
  }
  assert.equal((await inference('ServerLive', {})).live, true);
});

test('GetModelMetadata and GetModelStatus', async () => {
  const { metadata } = await tensorflow('GetModelMetadata', {
    model_spec: { name: 'films' },
    metadata_field: ['signature_def'],
  });
  const any = metadata.signature_def;
  assert.equal(any.type_url, 'type.googleapis.com/tensorflow.serving.SignatureDefMap');
  const type = DEFINITIONS['tensorflow.serving.SignatureDefMap'] as MessageTypeDefinition<object, Message>;
  const map = type.deserialize(any.value);
  assert.equal(map.signature_def.serving_default.inputs.query.dtype, 7);
  assert.equal(map.signature_def.search.method_name, 'tensorflow/serving/predict');
  const status = await call('tensorflow.serving.ModelService', 'GetModelStatus', { model_spec: { name: 'films' } });
  assert.deepEqual(status.model_version_status, [
    { version: '1', state: 30, status: { error_code: 0, error_message: '' } },
  ]);
});

test('Open Inference Protocol: raw and typed contents', async () => {
  const raw = Buffer.concat(['u1', 'u2'].map((word) => Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.from(word)])));
  const input = { name: 'query', datatype: 'BYTES', shape: [2] };
  const request = { model_name: 'films', id: 'q', parameters: { k: { int64_param: 2 } } };
  const answer = await inference('ModelInfer', { ...request, inputs: [input], raw_input_contents: [raw] });
  assert.equal(answer.id, 'q');
  assert.deepEqual(
    answer.outputs.map((output: Message) => [output.name, output.datatype, output.shape]),
    [
      ['identifiers', 'BYTES', ['2', '2']],
      ['scores', 'FP32', ['2', '2']],
    ],
  );
  assert.equal(answer.raw_output_contents[1].length, 16);
  const contents = { bytes_contents: ['u1', 'u2'].map((word) => Buffer.from(word)) };
  const typed = await inference('ModelInfer', { ...request, inputs: [{ ...input, contents }] });
  assert.deepEqual(typed.raw_output_contents, answer.raw_output_contents);
  await assert.rejects(
    inference('ModelInfer', { ...request, inputs: [input], raw_input_contents: [raw.subarray(3)] }),
    /input 'query': expected a whole BYTES element at byte \d+, got the start of one|expected \d+ string elements, got/,
  );
});

test('Open Inference Protocol: what a request says twice or wrongly is refused', async () => {
  const input = { name: 'query', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('u1')] } };
  const raw = Buffer.from([2, 0, 0, 0, 117, 49]);
  const request = { model_name: 'films', inputs: [input] };
  const refused: [object, RegExp][] = [
    [{ inputs: [input, input] }, /input 'query': expected once, got twice/],
    [{ raw_input_contents: [raw, raw] }, /raw_input_contents: expected 1, one for each input, got 2/],
    [{ inputs: [{ ...input, datatype: 'TEXT' }] }, /input 'query': expected a datatype of BOOL, .*, got "TEXT"/],
    [{ inputs: [{ ...input, datatype: 'FP16' }] }, /input 'query': expected raw_input_contents for FP16, got contents/],
    [{ raw_input_contents: [raw] }, /input 'query': expected raw_input_contents or contents, got both/],
    [{ parameters: { timeout: { string_param: '5' } } }, /parameter timeout: expected microseconds, got "5"/],
    [{ parameters: { timeout: { double_param: Number.NaN } } }, /parameter timeout: expected microseconds/],
    [{ parameters: { timeout: { int64_param: -1 } } }, /parameter timeout: expected microseconds/],
    [{ parameters: { exclude_sen: { bool_param: true } } }, /'exclude_sen': unknown, did you mean 'exclude_seen'\?/],
  ];
  for (const [part, details] of refused) {
    await assert.rejects(inference('ModelInfer', { ...request, ...part }), { code: 3, details });
  }
  // As in Triton, 0 is no timeout, and parameters for other servers are ignored.
  const parameters = { timeout: { int64_param: 0 }, priority: { int64_param: 1 }, sequence_id: { int64_param: 7 } };
  await inference('ModelInfer', { ...request, parameters });
});

test('refusals that repeat text of the request are statuses that every client can read', async () => {
  const rules = (text: string): object => ({
    model_spec: { name: 'films', signature_name: 'query_with_rules' },
    inputs: { query: strings('u1'), rules: strings(text) },
  });
  // JSON may escape half a character, which no gRPC status can hold.
  const refused: [string, () => Promise<Message>][] = [
    ['a name of rules', () => tensorflow('Predict', rules('{"\\ud800": 1}'))],
    ['an identifier of rules', () => tensorflow('Predict', rules('{"pin": ["\\ud800"]}'))],
    ['an attribute of a filter', () => similar({ filter: '{"equals": {"\\ud800": 1}}' })],
    ['a long name of rules', () => tensorflow('Predict', rules(`{"${'€'.repeat(100_000)}": 1}`))],
    [
      'a long signature',
      () => tensorflow('Predict', { model_spec: { name: 'films', signature_name: 'x'.repeat(1e6) } }),
    ],
  ];
  const similar = (request: object): Promise<Message> =>
    call('shortlist.v1.CandidateService', 'Similar', { ids: [{ text: 'film1' }], ...request });
  for (const [what, request] of refused) await assert.rejects(request(), { code: 3 }, what);
  await assert.rejects(similar({ ids: [{ text: 'x'.repeat(1e6) }] }), { code: 5 });
  assert.equal((await similar({ k: 1 })).results.length, 1);
});

test('Open Inference Protocol: server, model, repository', async () => {
  assert.deepEqual(await inference('ServerLive', {}), { live: true });
  assert.deepEqual(await inference('ServerReady', {}), { ready: true });
  assert.deepEqual(await inference('ModelReady', { name: 'films' }), { ready: true });
  assert.equal((await inference('ServerMetadata', {})).name, 'shortlist');
  const metadata = await inference('ModelMetadata', { name: 'films' });
  assert.deepEqual(metadata.inputs, [{ name: 'query', datatype: 'BYTES', shape: ['-1'] }]);
  assert.equal((await inference('ModelConfig', { name: 'films' })).config.input[0].data_type, 13);
  assert.deepEqual((await inference('RepositoryIndex', {})).models, [
    { name: 'films', version: '1', state: 'READY', reason: '' },
  ]);
  assert.ok(Number((await inference('ModelStatistics', { name: 'films' })).model_stats[0].inference_count) > 0);
  const withConfig = { model_name: 'films', parameters: { config: { string_param: '{}' } } };
  for (const method of ['RepositoryModelLoad', 'RepositoryModelUnload']) {
    await assert.rejects(inference(method, withConfig), { code: 3, details: /^parameter 'config': unknown/ });
  }
});

test('updates', async () => {
  const candidate = { id: { text: 'new' }, embedding: [90, 0, 0, 0], attributes: { year: { number: 2026 } } };
  const service = 'shortlist.v1.CandidateService';
  assert.deepEqual(await call(service, 'Upsert', { candidates: [candidate] }), {
    model: 'films',
    version: '1',
    acknowledged: '1',
    unknown: [],
  });
  const search = {
    model_spec: { name: 'films', signature_name: 'search' },
    inputs: { embedding: { dtype: 1, tensor_shape: { dim: [{ size: 1 }, { size: 4 }] }, float_val: [1, 0, 0, 0] } },
  };
  assert.equal(texts((await tensorflow('Predict', search)).outputs.identifiers.string_val)[0], 'new');
  await call(service, 'Delete', { model: 'films', ids: [{ text: 'new' }] });
  assert.notEqual(texts((await tensorflow('Predict', search)).outputs.identifiers.string_val)[0], 'new');
});

test('health, and reflection lists every service', async () => {
  assert.deepEqual(await call('health', 'Check', { service: '' }), { status: 'SERVING' });
  assert.deepEqual(await call('health', 'Check', { service: 'inference.GRPCInferenceService' }), { status: 'SERVING' });
  // The reflection request { list_services: "" } is field 7, an empty string.
  const bytes = (buffer: Buffer): Buffer => buffer;
  const stream = client.makeBidiStreamRequest(
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    bytes,
    bytes,
    new Metadata(),
  );
  stream.write(Buffer.from([0x3a, 0x00]));
  stream.end();
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString('latin1');
  for (const name of [
    'tensorflow.serving.PredictionService',
    'inference.GRPCInferenceService',
    'grpc.health.v1.Health',
  ]) {
    assert.ok(text.includes(name), name);
  }
});
