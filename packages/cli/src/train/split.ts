/** Splits the interactions into a test part, which holds the last items of users or the last rows by time, and a training part. */
import { DataError, type Interactions, OptionError } from 'shortlist';
import { Generator } from 'shortlist/random';
import { type InteractionSplit, leaveLastOut, splitByTime, takeInteractions } from 'shortlist/recommenders';

/** The ways to split: the last rows of each user, or the last rows of all by time. */
export const SPLITS = ['leave-last-out', 'time'] as const;
export type SplitWay = (typeof SPLITS)[number];

/** The most users of the test part. The recall of 10,000 users is known to within a hundredth; more users take more time. */
const USERS_MAX = 10_000;
/** With fewer users than this, two rows of each user are held out, which makes the evaluation less noisy. */
const FEW_USERS = 5_000;
/** The share of the rows that a split by time holds out: the usual tenth. */
const TIME_SHARE = 0.1;

/** A split, and the rule by which it was made. */
export type TestSplit = InteractionSplit & { readonly users: number } & (
    | {
        readonly way: 'leave-last-out';
        /** Test rows of each user. */
        readonly count: number;
        /** All rows of users with fewer rows are in the training part. */
        readonly minInteractions: number;
      }
    | {
        readonly way: 'time';
        /** The time of the first held-out row, in seconds. */
        readonly from: number;
        /** Held-out rows of users without a row before: no model knows them, and they are in neither part. */
        readonly newUserRows: number;
      }
  );

/**
 * Holds out the last row of each user with at least three rows. If there are few users, it holds out the last two rows of each
 * user with at least five.
 *
 * @throws {DataError} when no user has three rows: one for training, one for validation, one for the test
 */
export function testSplit(interactions: Interactions, seed: number): TestSplit {
  const users = interactions.users.vocabulary.length;
  if (users <= FEW_USERS) {
    const two = cut(interactions, 2, 5, seed);
    // If most users have fewer than five rows, one row of more users is more accurate.
    if (2 * two.users > users) return two;
  }
  const one = cut(interactions, 1, 3, seed);
  if (one.users > 0) return one;
  throw new DataError(
    `expected users with at least three rows, for training, validation and test; none of ${users} users has three` +
      ' (shortlist inspect prints the columns, --user-column sets another one)',
  );
}

function cut(interactions: Interactions, count: number, minInteractions: number, seed: number): TestSplit {
  const split = leaveLastOut(interactions, { count, minInteractions, maxUsers: USERS_MAX, seed });
  return { ...split, way: 'leave-last-out', count, minInteractions, users: new Set(split.test.users.codes).size };
}

/**
 * Holds out the last tenth of the rows by time, as a model meets them that is trained today and serves tomorrow. The test part has
 * the rows of users who have rows before, of at most 10,000 such users.
 *
 * @throws {OptionError} when the rows have no times
 * @throws {DataError} when no user has rows before and after
 */
export function timeSplit(interactions: Interactions, hasTimes: boolean, seed: number): TestSplit {
  if (!hasTimes) {
    throw new OptionError('--split time: expected a column of times, got none (--time-column sets one)');
  }
  const { train, test } = splitByTime(interactions, { testShare: TIME_SHARE });
  const isTrained = new Uint8Array(interactions.users.vocabulary.length);
  for (const user of train.users.codes) isTrained[user] = 1;
  const { codes } = test.users;
  const known = Int32Array.from(codes.keys()).filter((row) => isTrained[codes[row]!] === 1);
  const users = new Set(known.map((row) => codes[row]!));
  if (users.size === 0) {
    throw new DataError(
      '--split time: expected users with rows before and after the cut, got none; use leave-last-out',
    );
  }
  const asked = new Set(drawn([...users], seed));
  const rows = known.filter((row) => asked.has(codes[row]!));
  return {
    ...{ train, test: takeInteractions(test, rows), users: asked.size },
    ...{ way: 'time', from: test.times!.reduce((a, b) => Math.min(a, b)), newUserRows: test.length - known.length },
  };
}

/** At most `USERS_MAX` users. */
function drawn(users: readonly number[], seed: number): number[] {
  const order = new Generator(seed).fork('split-by-time').permutation(users.length).subarray(0, USERS_MAX);
  return Array.from(order, (at) => users[at]!);
}
