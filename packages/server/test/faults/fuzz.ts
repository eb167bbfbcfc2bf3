/** Malformed requests: well-formed ones with bytes changed, cut, doubled, or of another path. */
import type { Generator } from 'shortlist';
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
