/** A bundle as a recommender, with the results of a server: queries are users, and items that they have seen are left out. */
import type { Interactions } from 'shortlist';
import { loadBundle } from 'shortlist/node';
import type { Recommender } from 'shortlist/recommenders';

/** Users of one call. */
const BATCH_USERS = 1024;

/**
 * Loads a bundle to be evaluated. Users and items are codes of `interactions`.
 *
 * @throws {Error} when the bundle has no seen items, or does not leave them out by default
 */
export async function servedRecommender(path: string, { users, items }: Interactions): Promise<Recommender> {
  const { index, seenItems } = await loadBundle<string, string>(path);
  if (!seenItems?.excludeSeen) throw new Error(`${path}: expected a bundle that leaves out seen items`);
  const codeOf = new Map(items.vocabulary.map((word, code) => [word, code]));
  return {
    name: 'shortlist train',
    recommend(codes, _histories, k) {
      const found: Int32Array[] = [];
      for (let begin = 0; begin < codes.length; begin += BATCH_USERS) {
        const queries = Array.from(codes.subarray(begin, begin + BATCH_USERS), (code) => users.vocabulary[code]!);
        const result = index.call(queries, { k, exclude: seenItems.exclusions(queries) });
        queries.forEach((_, i) => {
          found.push(Int32Array.from(result.identifiers(i), (word) => codeOf.get(word)!));
        });
      }
      return found;
    },
  };
}
