/** The users whom the model of a bundle knows: the vocabulary of its fold-in model, or of a query tower with one feature. */
import { type Bundle, DataError, type Identifier } from 'shortlist';
import type { Query } from '../query/search-request.ts';

/**
 * The users in the order of the vocabulary.
 *
 * @throws {DataError} when the bundle has no query model, or its query tower has several features
 */
export function knownUsers(
  path: string,
  { foldIn, queryTower, index, seenItems }: Bundle<Query, Identifier>,
): readonly string[] {
  if (foldIn !== undefined) return foldIn.parts.users.vocabulary;
  if (index.queryModel === undefined)
    throw new DataError(`${path}: expected a bundle that takes users, got one of vectors`);
  // A model that reads histories knows the users whose items the bundle has.
  if (queryTower?.features && seenItems?.seenAsHistory === 'always') return seenItems.toInteractions().users.vocabulary;
  const [input, ...more] = queryTower?.inputs ?? [];
  if (!input?.lookup || more.length > 0) {
    throw new DataError(
      `${path}: expected a query model that knows a list of users, got one of ${more.length + (input ? 1 : 0)} features; ` +
        '--queries names the queries',
    );
  }
  return input.lookup.vocabulary;
}
