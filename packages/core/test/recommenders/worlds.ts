/** Interactions whose best recommendations are known. */
import { dictionaryColumn, type Interactions, interactionsOf } from '../../src/data/interactions.ts';

/** Rows as pairs of user and item. */
export function interactionsFrom(
  pairs: readonly (readonly [string, string])[],
  times?: readonly number[],
): Interactions {
  return interactionsOf({
    users: dictionaryColumn(pairs.map(([user]) => user)),
    items: dictionaryColumn(pairs.map(([, item]) => item)),
    times: times && Float64Array.from(times),
  });
}

/**
 * A checkerboard: even users choose even items and odd users odd ones, user u all of them but item u. What every model of
 * taste must say of user u is item u; popularity cannot.
 */
export function checkerboard(size: number): Interactions {
  const pairs: [string, string][] = [];
  // Items are numbered first, in order, so that their codes are their numbers.
  for (let user = 0; user < size; user++) {
    for (let item = user % 2; item < size; item += 2) if (item !== user) pairs.push([`u${user}`, `i${item}`]);
  }
  const interactions = interactionsFrom(pairs);
  const vocabulary = Array.from({ length: size }, (_, item) => `i${item}`);
  const codeOf = new Map(vocabulary.map((word, code) => [word, code]));
  const { items } = interactions;
  const codes = items.codes.map((code) => codeOf.get(items.vocabulary[code]!)!);
  return { ...interactions, items: { codes, vocabulary } };
}
