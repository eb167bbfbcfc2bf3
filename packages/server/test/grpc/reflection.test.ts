/**
 * Reflection: the descriptors that are sent are complete, and grpcurl lists, describes and calls every service with them.
 * SHORTLIST_GRPCURL names the grpcurl program; clients.test.ts resolves every message with Python's descriptor pool.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import descriptor, { type IDescriptorProto, type IFileDescriptorProto } from 'protobufjs/ext/descriptor.js';
import { DEFINITIONS } from '../../src/grpc/definitions.ts';
import { reflectedDefinitions } from '../../src/grpc/descriptors.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const { FileDescriptorProto } = descriptor;

interface Descriptors {
  fileDescriptorProtos: Buffer[];
}

function filesOf(): IFileDescriptorProto[] {
  const [{ fileDescriptorProtos }] = Object.values(reflectedDefinitions(DEFINITIONS)) as unknown as [Descriptors];
  return fileDescriptorProtos.map(
    (bytes) => FileDescriptorProto.toObject(FileDescriptorProto.decode(bytes)) as IFileDescriptorProto,
  );
}

/** Messages of a file with their full names, nested ones included. */
function messagesOf(file: IFileDescriptorProto): [string, IDescriptorProto][] {
  const below = (path: string, message: IDescriptorProto): [string, IDescriptorProto][] => [
    [`${path}.${message.name}`, message],
    ...(message.nestedType ?? []).flatMap((nested) => below(`${path}.${message.name}`, nested)),
  ];
  return (file.messageType ?? []).flatMap((message) => below(`.${file.package}`, message));
}

test('every file names exactly the files that its types come from, and standard types have their own files', () => {
  const files = filesOf();
  const dependencies: Record<string, readonly string[]> = Object.fromEntries(
    files.map(({ name, dependency }) => [name!, dependency ?? []]),
  );
  assert.deepEqual(dependencies['tensorflow_serving.proto'], [
    'google/protobuf/any.proto',
    'google/protobuf/wrappers.proto',
    'tensorflow.proto',
    'tensorflow_error.proto',
  ]);
  for (const name of ['shortlist.v1', 'inference']) {
    assert.deepEqual(files.find((file) => file.package === name)?.dependency ?? [], []);
  }
  for (const [name, names] of Object.entries(dependencies)) {
    for (const other of names) assert.ok(other in dependencies, `${name} depends on ${other}`);
  }
  assert.ok(!files.some(({ name }) => name === 'google_protobuf.proto'));
});

test('entry types of maps have the names that protoc gives them', () => {
  const entries = filesOf()
    .flatMap(messagesOf)
    .filter(([, { options }]) => options?.mapEntry)
    .map(([name]) => name);
  assert.ok(entries.includes('.tensorflow.serving.SignatureDefMap.SignatureDefEntry'), entries.join());
  assert.ok(entries.includes('.inference.ModelInferRequest.InferInputTensor.ParametersEntry'));
  assert.ok(entries.every((name) => name.endsWith('Entry')));
  const types = filesOf()
    .flatMap(messagesOf)
    .flatMap(([, { field }]) => (field ?? []).map(({ typeName }) => typeName));
  for (const entry of entries) assert.ok(types.includes(entry), `a field of type ${entry}`);
});

const grpcurl = process.env.SHORTLIST_GRPCURL;
test('grpcurl lists, describes and calls every service', {
  skip: grpcurl ? false : 'SHORTLIST_GRPCURL is not set',
}, async () => {
  const server = await startTiny(await tinyBasePath(), { grpcPort: 0 });
  const address = `127.0.0.1:${server.grpcPort}`;
  const run = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(grpcurl!, ['-plaintext', ...args])).stdout;
  try {
    const services = (await run(address, 'list')).trim().split('\n');
    assert.equal(services.length, 6);
    let methods = 0;
    for (const service of services) {
      for (const method of (await run(address, 'list', service)).trim().split('\n')) {
        const described = await run(address, 'describe', method);
        for (const [type] of described.matchAll(/\.[\w.]+(?= \))/g)) await run(address, 'describe', type);
        methods++;
      }
    }
    assert.ok(methods >= 18, String(methods));
    const tensor = { dtype: 'DT_STRING', tensor_shape: { dim: [{ size: 1 }] }, string_val: ['dTE='] };
    const model_spec = { name: 'films', version: 1 };
    const infer = {
      model_name: 'films',
      inputs: [{ name: 'query', datatype: 'BYTES', shape: [1], contents: { bytes_contents: ['dTE='] } }],
    };
    const candidate = { id: { text: 'new' }, embedding: [1, 2, 3, 4], attributes: { genre: { text: 'drama' } } };
    const event = { user: { text: 'u1' }, item: { text: 'film1' } };
    const CALLS: readonly [string, object, RegExp][] = [
      ['tensorflow.serving.PredictionService/Predict', { model_spec, inputs: { query: tensor } }, /"identifiers"/],
      [
        'tensorflow.serving.PredictionService/GetModelMetadata',
        { model_spec, metadata_field: ['signature_def'] },
        /"embed"/,
      ],
      ['tensorflow.serving.ModelService/GetModelStatus', { model_spec: { name: 'films' } }, /AVAILABLE/],
      ['inference.GRPCInferenceService/ModelInfer', infer, /"rawOutputContents"/],
      ['inference.GRPCInferenceService/ModelStreamInfer', infer, /"inferResponse"/],
      ['inference.GRPCInferenceService/ModelStatistics', {}, /"films"/],
      ['shortlist.v1.CandidateService/Upsert', { candidates: [candidate] }, /"acknowledged": "1"/],
      ['shortlist.v1.EventService/Append', { events: [event] }, /"acknowledged": "1"/],
      ['grpc.health.v1.Health/Check', {}, /SERVING/],
    ];
    for (const [method, message, expected] of CALLS) {
      assert.match(await run('-d', JSON.stringify(message), address, method), expected);
    }
  } finally {
    await server.close();
  }
});
