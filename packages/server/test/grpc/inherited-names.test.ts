/** Names from outside that every object inherits, in the maps and the fields of the gRPC messages. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { serviceOf } from '../../src/grpc/definitions.ts';
import { startTiny, tinyBasePath } from '../fixtures/tiny-bundle.ts';

const NAMES: readonly string[] = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
const [INVALID_ARGUMENT, NOT_FOUND] = [3, 5];

const server = await startTiny(await tinyBasePath(), { grpcPort: 0 });
const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
after(async () => {
  client.close();
  await server.close();
});

function call(service: string, method: string, request: object): Promise<object> {
  const { path, requestSerialize, responseDeserialize } = serviceOf(service)[method]!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), (error, message) =>
      error ? reject(error) : resolve(message as object),
    );
  });
}
const predict = (request: object): Promise<object> => call('tensorflow.serving.PredictionService', 'Predict', request);
const infer = (request: object): Promise<object> => call('inference.GRPCInferenceService', 'ModelInfer', request);
const candidates = (method: string, request: object): Promise<object> =>
  call('shortlist.v1.CandidateService', method, request);

/** A map of one entry that is its own. */
const entry = (name: string, value: unknown): object => Object.fromEntries([[name, value]]);
const user = { dtype: 7, tensor_shape: { dim: [{ size: 1 }] }, string_val: [Buffer.from('u1')] };
const input = { name: 'query', datatype: 'BYTES', shape: [1], contents: { bytes_contents: [Buffer.from('u1')] } };

for (const name of NAMES) {
  test(`${name} as a model, a label, a signature, an input, an output, a type or a feature is unknown`, async () => {
    const films = { name: 'films' };
    const refused: readonly (readonly [() => Promise<object>, number, RegExp])[] = [
      [() => predict({ model_spec: { name }, inputs: { query: user } }), NOT_FOUND, /Servable not found/],
      [() => predict({ model_spec: { ...films, version_label: name } }), INVALID_ARGUMENT, /Unrecognized .* label/],
      [() => predict({ model_spec: { ...films, signature_name: name } }), INVALID_ARGUMENT, /not found in signature/],
      [() => predict({ model_spec: films, inputs: entry(name, user) }), INVALID_ARGUMENT, /Sent extra: \{/],
      [
        () => predict({ model_spec: films, inputs: { query: user }, output_filter: [name] }),
        INVALID_ARGUMENT,
        /output tensor alias not found/,
      ],
      [() => infer({ model_name: name, inputs: [input] }), NOT_FOUND, /./],
      [() => infer({ model_name: 'films', inputs: [{ ...input, name }] }), INVALID_ARGUMENT, /unexpected .* inputs/],
      [() => infer({ model_name: 'films', inputs: [{ ...input, datatype: name }] }), INVALID_ARGUMENT, /datatype/],
      [() => infer({ model_name: 'films', inputs: [input], outputs: [{ name }] }), INVALID_ARGUMENT, /output/],
      [
        () => candidates('Upsert', { candidates: [{ id: { text: 'a' }, features: entry(name, 'v') }] }),
        INVALID_ARGUMENT,
        /no candidate tower/,
      ],
    ];
    for (const [request, code, details] of refused) {
      await assert.rejects(request(), (error: ServiceError) => {
        assert.equal(error.code, code, error.details);
        assert.match(error.details, details);
        return true;
      });
    }
    // A parameter that nothing reads is no mistake of the request.
    await infer({ model_name: 'films', inputs: [input], parameters: entry(name, { string_param: 'x' }) });
  });
}

test('as attributes they are values like others: set, filtered by, and shown', async () => {
  for (const name of NAMES) {
    const attributes = entry(name, { text: 'v' });
    await candidates('Upsert', { candidates: [{ id: { text: name }, embedding: [9, 9, 9, 9], attributes }] });
    const filter = JSON.stringify({ equals: entry(name, 'v') });
    const request = { ids: [{ text: 'film1' }], filter, attributes: [name] };
    const { results } = (await candidates('Similar', request)) as {
      results: { id: { text: string }; attributes: Record<string, { text: string }> }[];
    };
    assert.deepEqual(
      results.map(({ id, attributes: shown }) => [id.text, Object.keys(shown), Object.values(shown)[0]!.text]),
      [[name, [name], 'v']],
    );
  }
});
