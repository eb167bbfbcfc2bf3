/** An index that is searched by the similarity of candidates instead of by its own measure, for searches with rules. */

import { checkArgument } from '../checks/arguments.ts';
import { objectWith } from '../checks/options.ts';
import type { CallOptions, Identifier, UpdatableTopK } from '../topk/contract.ts';
import { searchSimilar, searchSimilarAsync } from '../topk/similar.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { RuledIndex } from './call-with-rules.ts';

/**
 * Wraps an index so that `callWithRules` finds similar candidates that obey rules. Its queries are vectors that
 * `similarityVector` makes; candidates are excluded only where the options of the call say so.
 */
export function bySimilarity<Q, I extends Identifier, O extends CallOptions<I>>(
  index: UpdatableTopK<Q, I, O>,
): RuledIndex<never, I, O> {
  checkArgument('index', index, objectWith('an index with `identifiers` and `call`', 'identifiers', 'call'));
  const { k, identifiers, dimensions, access, distanceMeasure } = index;
  return {
    ...{ k, identifiers, dimensions, access },
    settings: { distanceMeasure: distanceMeasure === 'squared_l2' ? distanceMeasure : 'cosine' },
    candidate: (row) => index.candidate(row),
    call: (vectors, options) => searchSimilar(index, vectors as Matrix, options as O),
    callAsync: (vectors, options, within) => searchSimilarAsync(index, vectors as Matrix, options as O, within!),
  };
}
