/** Attributes of the candidates as further outputs: the same values over every protocol, in the form that each has. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { serviceOf } from '../../src/grpc/definitions.ts';
import type { ShortlistServer } from '../../src/index.ts';
import { post, startTiny } from '../fixtures/tiny-bundle.ts';
import { typedBasePath } from '../fixtures/typed-bundle.ts';

let server: ShortlistServer;
before(async () => {
  server = await startTiny(await typedBasePath(), { grpcPort: 0 });
});
after(() => server.close());

const ALL = ['identifiers', 'title', 'genres', 'released', 'rating', 'inStock'];
const IDENTIFIERS = ['film0', 'film1', 'film2', 'film3', 'film4'];
const TITLES = ['Heat', 'Toy Story', 'Alien', 'M', 'Ran'];
const GENRES = [
  ['comedy', 'war'],
  ['drama', ''],
  ['', ''],
  ['war', 'drama'],
  ['', ''],
];
const RELEASED = ['1999-12-31', '2000-01-01T12:00:00.000Z', '2010-05-05', '', '2020-01-01'];
const RATINGS = [7.5, Number.NaN, 8, 8.25, 9];
const IN_STOCK = [true, false, false, true, true];

function call<T>(service: string, method: string, request: object): Promise<T> {
  const client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = serviceOf(service)[method]!;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
      client.close();
      if (error) reject(error);
      else resolve(answer as T);
    });
  });
}

/** A body as text: NaN, which TF Serving writes for a number that is none, is no JSON. */
async function predict(body: object): Promise<{ status: number; text: string }> {
  const response = await post(server, '/v1/models/films:predict', body);
  const text = typeof response.body === 'string' ? response.body : JSON.stringify(response.body);
  return { status: response.status, text };
}

test('TF Serving over REST: output_filter names columns, in row and in column form', async () => {
  const rows = await predict({ instances: [[1, 0]], output_filter: ALL });
  assert.equal(rows.status, 200, rows.text);
  const [row] = JSON.parse(rows.text.replaceAll('NaN', 'null')).predictions;
  assert.deepEqual(row, {
    ...{ identifiers: IDENTIFIERS, title: TITLES, genres: GENRES, released: RELEASED },
    ...{ rating: RATINGS.map((value) => (Number.isNaN(value) ? null : value)), inStock: IN_STOCK },
  });
  assert.deepEqual(Object.keys(row), ALL);
  const columns = await predict({ inputs: [[1, 0]], output_filter: ['genres'] });
  assert.deepEqual(JSON.parse(columns.text), { outputs: [GENRES] });
  const unknown = await predict({ instances: [[1, 0]], output_filter: ['titel'] });
  assert.equal(unknown.status, 400);
  assert.deepEqual(JSON.parse(unknown.text), {
    error:
      'output tensor alias not found in signature: titel Outputs expected to be in the set ' +
      '{identifiers,scores,title,genres,released,rating,inStock}.',
  });
  const wrong = await predict({ instances: [[1, 0]], output_filter: 'title' });
  assert.deepEqual(JSON.parse(wrong.text), {
    error: 'output_filter: expected a list of names of outputs, got "title"',
  });
  const twice = await predict({ instances: [[1, 0]], output_filter: ['title', 'title'] });
  assert.deepEqual(JSON.parse(twice.text), { error: 'duplicate output tensor alias: title' });
  assert.deepEqual(Object.keys(JSON.parse((await predict({ instances: [[1, 0]] })).text).predictions[0]), [
    ...['identifiers', 'scores'],
  ]);
});

test('TF Serving over gRPC: the same in typed fields', async () => {
  interface Output {
    tensor_shape: { dim: { size: string }[] };
    string_val: Buffer[];
    double_val: number[];
    bool_val: boolean[];
  }
  const { outputs } = await call<{ outputs: Record<string, Output> }>(
    'tensorflow.serving.PredictionService',
    'Predict',
    {
      model_spec: { name: 'films' },
      inputs: { embedding: { dtype: 1, tensor_shape: { dim: [{ size: 2 }, { size: 2 }] }, float_val: [1, 0, 1, 0] } },
      output_filter: ALL,
    },
  );
  assert.deepEqual(Object.keys(outputs).sort(), [...ALL].sort());
  const texts = (name: string): string[] => outputs[name]!.string_val.map(String);
  assert.deepEqual(texts('title'), [...TITLES, ...TITLES]);
  assert.deepEqual(texts('genres'), [...GENRES.flat(), ...GENRES.flat()]);
  assert.deepEqual(
    outputs.genres!.tensor_shape.dim.map(({ size }) => Number(size)),
    [2, 5, 2],
  );
  assert.deepEqual(texts('released').slice(5), RELEASED);
  assert.deepEqual(outputs.rating!.double_val, [...RATINGS, ...RATINGS]);
  assert.deepEqual(outputs.inStock!.bool_val, [...IN_STOCK, ...IN_STOCK]);
});

test('Open Inference over REST and gRPC: outputs name columns, and an unknown one is refused with the nearest', async () => {
  const inputs = [{ name: 'embedding', shape: [1, 2], datatype: 'FP32', data: [1, 0] }];
  const outputs = [{ name: 'title' }, { name: 'genres' }, { name: 'scores' }];
  const { body } = await post(server, '/v2/models/films/infer', { inputs, outputs, parameters: { k: 2 } });
  const found = (body as { outputs: { name: string; datatype: string; shape: number[]; data: unknown[] }[] }).outputs;
  assert.deepEqual(found.slice(0, 2), [
    { name: 'title', datatype: 'BYTES', shape: [1, 2], data: ['Heat', 'Toy Story'] },
    { name: 'genres', datatype: 'BYTES', shape: [1, 2, 2], data: ['comedy', 'war', 'drama', ''] },
  ]);
  assert.equal(found[2]!.name, 'scores');
  const refused = await post(server, '/v2/models/films/infer', { inputs, outputs: [{ name: 'titel' }] });
  assert.equal(
    (refused.body as { error: string }).error,
    "unexpected inference output 'titel' for model 'films', did you mean 'title'? " +
      "Known: 'identifiers', 'scores', 'title', 'genres', 'released', 'rating', 'inStock'",
  );
  const answer = await call<{ outputs: { name: string; datatype: string }[]; raw_output_contents: Buffer[] }>(
    'inference.GRPCInferenceService',
    'ModelInfer',
    {
      model_name: 'films',
      inputs: [{ name: 'embedding', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 0] } }],
      outputs: [{ name: 'rating' }, { name: 'inStock' }],
    },
  );
  assert.deepEqual(
    answer.outputs.map(({ name, datatype }) => [name, datatype]),
    [
      ['rating', 'FP64'],
      ['inStock', 'BOOL'],
    ],
  );
  const [ratings, inStock] = answer.raw_output_contents;
  assert.deepEqual([ratings!.readDoubleLE(0), ratings!.readDoubleLE(24), [...inStock!]], [7.5, 8.25, [1, 0, 0, 1, 1]]);
});

test('plain JSON: attributes names what results show, none for []; an unknown one is refused with the nearest', async () => {
  const shown = async (attributes?: readonly string[]): Promise<object> => {
    const { body } = await post(server, '/v1/shortlist', {
      embedding: [1, 0],
      k: 2,
      ...(attributes && { attributes }),
    });
    return (body as { results: { score: number }[] }).results.map(({ score: _, ...rest }) => rest);
  };
  assert.deepEqual(await shown(['genres', 'rating']), [
    { id: 'film0', genres: ['comedy', 'war'], rating: 7.5 },
    { id: 'film1', genres: ['drama'] },
  ]);
  assert.deepEqual(await shown([]), [{ id: 'film0' }, { id: 'film1' }]);
  assert.deepEqual(Object.keys(((await shown()) as object[])[0]!).sort(), ['id', ...ALL.slice(1)].sort());
  const { status, body } = await post(server, '/v1/shortlist', { embedding: [1, 0], attributes: ['title', 'genre'] });
  assert.deepEqual(
    [status, (body as { error: string }).error],
    [
      400,
      "attributes[1]: unknown attribute 'genre', did you mean 'genres'? " +
        "Known: 'title', 'genres', 'released', 'rating', 'inStock'",
    ],
  );
});

test('where queries find different numbers of candidates, columns are padded as identifiers are', async () => {
  const { text } = await predict({
    signature_name: 'query_with_exclusions',
    instances: [
      { embedding: [1, 0], exclusions: ['film0', 'film1', 'film2', 'film4'] },
      { embedding: [1, 0], exclusions: ['', '', '', ''] },
    ],
    output_filter: ['identifiers', 'genres', 'inStock'],
  });
  const [short] = JSON.parse(text).predictions;
  assert.deepEqual(short, {
    identifiers: ['film3', '', '', '', ''],
    genres: [['war', 'drama'], ...Array.from({ length: 4 }, () => ['', ''])],
    inStock: [true, false, false, false, false],
  });
});
