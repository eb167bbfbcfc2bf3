/**
 * Leaks of a test part into the training part: pairs that are in both, and rows that were trained on
 * although they are later than what is tested. Either makes a model look better than it will be.
 */
import { EARLIEST_SECONDS } from '../columns/time.ts';
import type { SelectedInteractions } from './interaction-table.ts';

/** Figures about two parts. */
export interface Leaks {
  /** Rows of the test part whose user and item are in the training part, too. */
  readonly pairsInBoth: number;
  /** Rows of the test part whose user no training row has: nothing can be known of them. */
  readonly rowsOfUnknownUsers: number;
  /** Rows of the test part whose item no training row has: a model of identifiers cannot find them. */
  readonly rowsOfUnknownItems: number;
  /** Training rows that are later than the first test row of the same user; undefined where a part has no times. */
  readonly trainRowsAfterTest: number | undefined;
}

/** Compares a training and a test part; identifiers are compared as text, so the parts may have vocabularies of their own. */
export function findLeaks(train: SelectedInteractions, test: SelectedInteractions): Leaks {
  const userOf = translation(test.users.vocabulary, train.users.vocabulary);
  const itemOf = translation(test.items.vocabulary, train.items.vocabulary);
  const usersInTrain = present(train.users.codes, train.users.vocabulary.length);
  const itemsInTrain = present(train.items.codes, train.items.vocabulary.length);
  const pairs = new Set<number>();
  const items = train.items.vocabulary.length;
  const firstTest = new Float64Array(train.users.vocabulary.length).fill(Number.POSITIVE_INFINITY);
  let rowsOfUnknownUsers = 0;
  let rowsOfUnknownItems = 0;
  for (let row = 0; row < test.length; row++) {
    const user = userOf[test.users.codes[row]!]!;
    const item = itemOf[test.items.codes[row]!]!;
    const isKnownUser = user >= 0 && usersInTrain[user] === 1;
    const isKnownItem = item >= 0 && itemsInTrain[item] === 1;
    if (!isKnownUser) rowsOfUnknownUsers++;
    if (!isKnownItem) rowsOfUnknownItems++;
    if (isKnownUser && isKnownItem) pairs.add(user * items + item);
    if (isKnownUser && test.times) firstTest[user] = Math.min(firstTest[user]!, test.times[row]!);
  }
  const found = new Set<number>();
  let later = 0;
  for (let row = 0; row < train.length; row++) {
    const user = train.users.codes[row]!;
    const pair = user * items + train.items.codes[row]!;
    if (pairs.has(pair)) found.add(pair);
    if (train.times && train.times[row]! > firstTest[user]!) later++;
  }
  let pairsInBoth = 0;
  for (let row = 0; row < test.length; row++) {
    const user = userOf[test.users.codes[row]!]!;
    if (user >= 0 && found.has(user * items + itemOf[test.items.codes[row]!]!)) pairsInBoth++;
  }
  const hasTimes = areTimes(train.times) && areTimes(test.times);
  return { pairsInBoth, rowsOfUnknownUsers, rowsOfUnknownItems, trainRowsAfterTest: hasTimes ? later : undefined };
}

/** Lines for people; none where nothing leaks. */
export function describeLeaks({
  pairsInBoth,
  rowsOfUnknownUsers,
  rowsOfUnknownItems,
  trainRowsAfterTest,
}: Leaks): string[] {
  const count = (value: number): string => value.toLocaleString('en-US');
  return [
    ...(pairsInBoth > 0 ? [`leak: ${count(pairsInBoth)} test rows are in the training part, too`] : []),
    ...(trainRowsAfterTest
      ? [`leak: ${count(trainRowsAfterTest)} training rows are later than the user's first test row`]
      : []),
    ...(rowsOfUnknownUsers > 0 ? [`${count(rowsOfUnknownUsers)} test rows are of users without a training row`] : []),
    ...(rowsOfUnknownItems > 0 ? [`${count(rowsOfUnknownItems)} test rows are of items without a training row`] : []),
  ];
}

/** Places in a sequence are no times: two files count them each for itself. */
function areTimes(times: Float64Array | undefined): boolean {
  return times !== undefined && times.length > 0 && times[0]! >= EARLIEST_SECONDS;
}

/** The code in one vocabulary of each word of another; −1 for those it does not have. */
function translation(from: readonly string[], to: readonly string[]): Int32Array {
  const codeOf = new Map(to.map((word, code) => [word, code]));
  return Int32Array.from(from, (word) => codeOf.get(word) ?? -1);
}

function present(codes: Int32Array, size: number): Uint8Array {
  const isThere = new Uint8Array(size);
  for (const code of codes) isThere[code] = 1;
  return isThere;
}
