/** Malformed requests: well-formed ones with bytes changed, cut, doubled, or of another path. */
import { type Client, Metadata } from '@grpc/grpc-js';
import type { Generator } from 'shortlist/random';
import { serviceOf } from '../../src/grpc/definitions.ts';
import type { ShortlistServer } from '../../src/index.ts';

const SEEDS: readonly (readonly [path: string, body: string])[] = [
  ['/v1/models/films:predict', '{"signature_name": "search", "instances": [[1.0, -2e3, NaN, 0.5]]}'],
  ['/v1/models/films:predict', '{"inputs": {"query": ["u1", {"b64": "dTI="}]}}'],
  ['/v1/models/films/versions/1:predict', '{"instances": [{"query": "u\\u0031"}]}'],
  ['/v2/models/films/infer', '{"inputs": [{"name": "query", "shape": [1], "datatype": "BYTES", "data": ["u1"]}]}'],
  [
    '/v2/models/films/infer',
    '{"inputs": [{"name": "embedding", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}',
  ],
  ['/v2/repository/index', '{"ready": true}'],
  [
    '/v1/shortlist',
    '{"query": "u1", "k": 3, "filter": {"and": [{"in": {"genre": ["drama"]}}, {"not": {"range": {"year": {"gt": 3}}}}]}}',
  ],
  ['/v1/shortlist', '{"embedding": [1, 2, 3, 4], "exclude": ["film1"], "include": ["film1", "film2"]}'],
  ['/v1/candidates/upsert', '{"candidates": [{"id": "x", "embedding": [1, 2, 3, 4], "attributes": {"year": 1}}]}'],
];
/** Pieces that parsers dislike. */
const PIECES = [
  '{',
  '[',
  ']',
  '"',
  '\\',
  '\u0000',
  '-',
  '1e999',
  'NaN',
  '9223372036854775808',
  '\ud800',
  '{"b64": 1}',
  '__proto__',
  'null',
];

/** One body with a few changes. */
export function mutate(generator: Generator, text: string): Buffer {
  const bytes = Buffer.from(text);
  const at = (): number => Math.floor(generator.uniform() * (bytes.length + 1));
  switch (Math.floor(generator.uniform() * 5)) {
    case 0:
      return bytes.subarray(0, at());
    case 1: {
      bytes[Math.min(at(), bytes.length - 1)]! ^= 1 << Math.floor(generator.uniform() * 8);
      return bytes;
    }
    case 2: {
      const place = at();
      const piece = PIECES[Math.floor(generator.uniform() * PIECES.length)]!;
      return Buffer.concat([bytes.subarray(0, place), Buffer.from(piece), bytes.subarray(place)]);
    }
    case 3: {
      const [a, b] = [at(), at()].sort((x, y) => x - y);
      return Buffer.concat([bytes.subarray(0, a), bytes.subarray(b!)]);
    }
    default: {
      const [a, b] = [at(), at()].sort((x, y) => x - y);
      return Buffer.concat([bytes.subarray(0, b), bytes.subarray(a!)]);
    }
  }
}

/** Send `count` malformed requests; how often each status came back. A 500 without an id throws. */
export async function fuzzHttp(
  server: ShortlistServer,
  generator: Generator,
  count: number,
): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const [path, seed] = SEEDS[Math.floor(generator.uniform() * SEEDS.length)]!;
    let body = mutate(generator, seed);
    if (generator.uniform() < 0.5) body = mutate(generator, body.toString('latin1'));
    const binary = path.endsWith('/infer') && generator.uniform() < 0.3;
    const headers: Record<string, string> = {
      'content-type': binary ? 'application/octet-stream' : 'application/json',
    };
    if (binary) headers['inference-header-content-length'] = String(Math.floor(generator.uniform() * 200) - 10);
    const response = await fetch(`http://127.0.0.1:${server.httpPort}${path}`, {
      method: 'POST',
      headers,
      body: Uint8Array.from(body),
    });
    const text = await response.text();
    if (response.status >= 500 && !/request [\w.:-]+/.test(text)) {
      throw new Error(`a ${response.status} without an id for ${path} ${body.toString('latin1')}: ${text}`);
    }
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
  }
  return statuses;
}

const CALLS: readonly (readonly [service: string, method: string, message: object])[] = [
  [
    'tensorflow.serving.PredictionService',
    'Predict',
    {
      model_spec: { name: 'films' },
      inputs: { query: { dtype: 7, tensor_shape: { dim: [{ size: 1 }] }, string_val: [Buffer.from('u1')] } },
    },
  ],
  ['tensorflow.serving.ModelService', 'GetModelStatus', { model_spec: { name: 'films' } }],
  [
    'inference.GRPCInferenceService',
    'ModelInfer',
    {
      model_name: 'films',
      inputs: [{ name: 'embedding', datatype: 'FP32', shape: [1, 4] }],
      raw_input_contents: [Buffer.alloc(16)],
    },
  ],
  [
    'inference.GRPCInferenceService',
    'ModelStreamInfer',
    {
      model_name: 'films',
      inputs: [{ name: 'embedding', datatype: 'FP32', shape: [1, 4] }],
      raw_input_contents: [Buffer.alloc(16)],
    },
  ],
  [
    'shortlist.v1.CandidateService',
    'Upsert',
    { model: 'films', candidates: [{ id: { text: 'x' }, embedding: [1, 2, 3, 4] }] },
  ],
];

/** Send `count` malformed messages over gRPC; how often each status code came back, 0 for an answer. */
export async function fuzzGrpc(client: Client, generator: Generator, count: number): Promise<Map<number, number>> {
  const codes = new Map<number, number>();
  const raw = (bytes: Buffer): Buffer => bytes;
  for (let i = 0; i < count; i++) {
    const [service, method, message] = CALLS[Math.floor(generator.uniform() * CALLS.length)]!;
    const { path, requestSerialize } = serviceOf(service)[method]!;
    // latin1 keeps one character a byte, which `mutate` would write as UTF-8: malformed on purpose.
    const body = mutate(generator, requestSerialize(message).toString('latin1'));
    const code = await new Promise<number>((resolve) => {
      const deadline = Date.now() + 60_000;
      client.makeUnaryRequest(path, raw, raw, body, new Metadata(), { deadline }, (error) => resolve(error?.code ?? 0));
    });
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  return codes;
}
