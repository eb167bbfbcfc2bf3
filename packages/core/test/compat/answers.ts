/** The queries for the files of released versions, and their results in a form that JSON can hold. */
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
