/** Splits the interactions into a test part, which holds the last items of users, and a training part. */
import { DataError, type Interactions } from 'shortlist';
import { type InteractionSplit, leaveLastOut } from 'shortlist/recommenders';

/** The most users of the test part. The recall of 10,000 users is known to within a hundredth; more users take more time. */
const USERS_MAX = 10_000;
/** With fewer users than this, two rows of each user are held out, which makes the evaluation less noisy. */
const FEW_USERS = 5_000;

/** A split, and the rule by which it was made. */
export interface TestSplit extends InteractionSplit {
  /** Test rows of each user. */
  readonly count: number;
  /** All rows of users with fewer rows are in the training part. */
  readonly minInteractions: number;
  readonly users: number;
}

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
  return { ...split, count, minInteractions, users: new Set(split.test.users.codes).size };
}
