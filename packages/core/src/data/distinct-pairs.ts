/**
 * Interactions without repetitions: a user and an item make one row, however often the user chose the item. A held-out row
 * then cannot be in the training part too.
 */
import { checkInteractions, type Interactions, rowsByTime, takeInteractions } from './interactions.ts';

/**
 * One row for each user and item: the last by time, with the sum of the weights of all of them. The same object is
 * returned where nothing is repeated.
 */
export function distinctPairs(interactions: Interactions): Interactions {
  checkInteractions(interactions);
  const { users, items, weights, length } = interactions;
  const userCount = users.vocabulary.length;
  const ends = new Int32Array(userCount + 1);
  for (const user of users.codes) ends[user + 1]!++;
  for (let user = 0; user < userCount; user++) ends[user + 1] = ends[user + 1]! + ends[user]!;
  const next = ends.slice();
  const grouped = new Int32Array(length);
  for (const row of rowsByTime(interactions)) grouped[next[users.codes[row]!]!++] = row;
  // The user whose last row with an item was met last, and that row.
  const stamp = new Int32Array(items.vocabulary.length).fill(-1);
  const rowOf = new Int32Array(items.vocabulary.length);
  const sums = new Float64Array(length);
  let kept = 0;
  for (let user = 0; user < userCount; user++) {
    // From the last to the first: the first time an item is met is the last time it was chosen.
    for (let i = ends[user + 1]! - 1; i >= ends[user]!; i--) {
      const row = grouped[i]!;
      const item = items.codes[row]!;
      if (stamp[item] !== user) {
        stamp[item] = user;
        rowOf[item] = row;
        kept++;
      } else grouped[i] = -1;
      sums[rowOf[item]!] = sums[rowOf[item]!]! + (weights ? weights[row]! : 1);
    }
  }
  if (kept === length) return interactions;
  const rows = grouped.filter((row) => row >= 0).sort();
  return { ...takeInteractions(interactions, rows), weights: Float32Array.from(rows, (row) => sums[row]!) };
}
