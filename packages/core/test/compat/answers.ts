/** The queries for the files of released versions, and their results in a form that JSON can hold. */
import { bundleFromBytes } from '../../src/bundle/bundle.ts';
import { Runtime } from '../../src/parallel/runtime.ts';
import type { Identifier } from '../../src/topk/contract.ts';
import type { TopKResult } from '../../src/topk/result.ts';

/** Queries of the deep tower: known words, an unknown one, a mask. */
export const DEEP_FEATURES: readonly Readonly<Record<'user' | 'place', string>>[] = [
  { user: '3', place: '東京' },
  { user: 'new', place: 'none' },
];

/** Identifiers with their type, and scores, which JSON keeps to the last bit. */
export function hits(result: TopKResult<Identifier>): [type: string, identifier: string, score: number][] {
  return result.hits().map(({ identifier, score }) => [typeof identifier, String(identifier), score]);
}

/** Queries of five dimensions. */
const QUERIES: readonly Float32Array[] = [0, 1, 2].map((query) =>
  Float32Array.from({ length: 5 }, (_, t) => Math.cos(3 * query + t)),
);

/** The size of the index of a bundle, and its results for three queries. */
export async function answersOf(bytes: Uint8Array): Promise<{ size: number; hits: ReturnType<typeof hits>[] }> {
  const runtime = new Runtime({ threads: 1 });
  const { index } = await bundleFromBytes<Float32Array, Identifier>(bytes, { runtime });
  return { size: index.size, hits: QUERIES.map((query) => hits(index.call(query, 5))) };
}
