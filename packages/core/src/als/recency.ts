/**
 * Recency: lowers the weights of older interactions when users are solved.
 *
 *   weight of the p-th item from the end of a history (0: the last)  =  its own weight · 2^(−p / half-life)
 *
 * Only users are solved with these weights, because the interests of a user change with time, but the similarity of
 * items does not. The scaled regularization of a row uses the sum of the lowered weights. Letters: as in solver.ts.
 */
import type { CodeLists } from '../data/items-by-user.ts';

/** Lists, the earliest item first, with weights that fall towards the beginning; a half-life of 0 changes nothing. */
export function weightedByRecency(lists: CodeLists, halfLife: number): CodeLists {
  if (halfLife === 0) return lists;
  const { starts, codes, weights } = lists;
  const faded = new Float32Array(codes.length);
  for (let list = 0; list < starts.length - 1; list++) {
    const [begin, end] = [starts[list]!, starts[list + 1]!];
    for (let at = begin; at < end; at++) faded[at] = 2 ** (-(end - 1 - at) / halfLife) * (weights ? weights[at]! : 1);
  }
  return { ...lists, weights: faded };
}
