/**
 * Finds leaks between a training part and a test part: pairs of user and item in both parts, and training rows that are later
 * than test rows. Both make a model look better than it is.
 */
import { checkArgument, objectWith } from 'shortlist/options';
import { EARLIEST_SECONDS } from '../columns/time.ts';
import type { SelectedInteractions } from './interaction-table.ts';

/** Counts of leaks between two parts. */
export interface Leaks {
  /** Test rows whose pair of user and item is also in the training part. */
  readonly pairsInBoth: number;
  /** Test rows whose user is not in the training part. */
  readonly rowsOfUnknownUsers: number;
  /** Test rows whose item is not in the training part; a model of identifiers cannot recommend it. */
  readonly rowsOfUnknownItems: number;
  /** Training rows that are later than the first test row of the same user; undefined if a part has no times. */
  readonly trainRowsAfterTest: number | undefined;
}

const SELECTED = objectWith('selected interactions', 'users', 'items', 'length');
const LEAKS = objectWith('counts of leaks', 'pairsInBoth', 'rowsOfUnknownUsers', 'rowsOfUnknownItems');

/** Compares a training part and a test part. Their vocabularies may differ, because identifiers are compared as text. */
export function findLeaks(train: SelectedInteractions, test: SelectedInteractions): Leaks {
  checkArgument('train', train, SELECTED);
  checkArgument('test', test, SELECTED);
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

/** The counts as lines of text; an empty list if there are no leaks. */
export function describeLeaks(leaks: Leaks): string[] {
  const { pairsInBoth, rowsOfUnknownUsers, rowsOfUnknownItems, trainRowsAfterTest } = checkArgument(
    'leaks',
    leaks,
    LEAKS,
  );
  const count = (value: number): string => value.toLocaleString('en-US');
  return [
    ...(pairsInBoth > 0 ? [`leak: ${count(pairsInBoth)} test rows are also in the training part`] : []),
    ...(trainRowsAfterTest
      ? [`leak: ${count(trainRowsAfterTest)} training rows are later than the user's first test row`]
      : []),
    ...(rowsOfUnknownUsers > 0 ? [`${count(rowsOfUnknownUsers)} test rows are of users without a training row`] : []),
    ...(rowsOfUnknownItems > 0 ? [`${count(rowsOfUnknownItems)} test rows are of items without a training row`] : []),
  ];
}

/** True for real times. Positions in sequences cannot be compared between two files. */
function areTimes(times: Float64Array | undefined): boolean {
  return times !== undefined && times.length > 0 && times[0]! >= EARLIEST_SECONDS;
}

/** For each word of the vocabulary `from` its code in `to`; −1 for words that `to` lacks. */
function translation(from: readonly string[], to: readonly string[]): Int32Array {
  const codeOf = new Map(to.map((word, code) => [word, code]));
  return Int32Array.from(from, (word) => codeOf.get(word) ?? -1);
}

function present(codes: Int32Array, size: number): Uint8Array {
  const isThere = new Uint8Array(size);
  for (const code of codes) isThere[code] = 1;
  return isThere;
}
