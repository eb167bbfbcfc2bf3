/** The part of the interactions that a trained model is judged by: the last items of users, which it is not trained on. */
import { DataError, type Interactions } from 'shortlist';
import { type InteractionSplit, leaveLastOut } from 'shortlist/recommenders';

/** Users judged at most: the mean of 10,000 is known to within a hundredth, and asking more takes time. */
const USERS_MAX = 10_000;
/** With fewer users than this, two rows of each user are held out, which makes the evaluation less noisy. */
const FEW_USERS = 5_000;

/** A test part, and how it was cut. */
export interface TestSplit extends InteractionSplit {
  /** Rows held out of a user. */
  readonly count: number;
  /** Users with fewer rows are trained on whole. */
  readonly minInteractions: number;
  readonly users: number;
}

/**
 * Holds out the last row of users with at least three; the last two of users with at least five where users are few.
 *
 * @throws {DataError} when no user has three rows: one to be trained on, one to choose by, one to judge by
 */
export function testSplit(interactions: Interactions, seed: number): TestSplit {
  const users = interactions.users.vocabulary.length;
  if (users <= FEW_USERS) {
    const two = cut(interactions, 2, 5, seed);
    // Where most have few rows, one row of more users tells more.
    if (2 * two.users > users) return two;
  }
  const one = cut(interactions, 1, 3, seed);
  if (one.users > 0) return one;
  throw new DataError(
    `expected users with at least three rows, to train on, to choose by and to judge by; none of ${users} has so many` +
      ' (shortlist inspect shows what was read, --user-column names another column)',
  );
}

function cut(interactions: Interactions, count: number, minInteractions: number, seed: number): TestSplit {
  const split = leaveLastOut(interactions, { count, minInteractions, maxUsers: USERS_MAX, seed });
  return { ...split, count, minInteractions, users: new Set(split.test.users.codes).size };
}
