/** The validation part of a search: holds out interactions and computes the recall of a recommender on them. */
import type { Interactions } from '../data/interactions.ts';
import { type InteractionSplit, leaveLastOut } from '../data/split.ts';
import { evaluateUsers } from '../metrics/user-metrics.ts';
import type { Recommender } from '../recommenders/contract.ts';
import type { Clock } from '../retrieval/pauses.ts';

/** The most pairs of a user and an item that one evaluation scores; more users would hardly make it more accurate. */
const SCORES_MAX = 120_000_000;
/** The fewest users of an evaluation, for any number of items. */
const USERS_MIN = 1000;
/** Held-out rows that are enough to compare settings: with them a recall of .1 is known to within .006. */
const ROWS_WANTED = 10_000;
/** The most held-out rows of a user, because the model cannot learn from them. */
const ROWS_OF_USER_MAX = 3;

/**
 * Hold out the last row of as many users as can be evaluated quickly; where there are few users, hold out several rows
 * of each. A user keeps more rows than are held out.
 */
export function validationSplit(interactions: Interactions, seed: number): InteractionSplit {
  const { length: itemCount } = interactions.items.vocabulary;
  const maxUsers = Math.max(USERS_MIN, Math.floor(SCORES_MAX / itemCount));
  const asked = Math.min(maxUsers, new Set(interactions.users.codes).size);
  const most = Math.min(ROWS_OF_USER_MAX, Math.max(1, Math.ceil(ROWS_WANTED / asked)));
  for (let count = most; count > 1; count--) {
    const split = leaveLastOut(interactions, { count, minInteractions: 2 * count + 1, maxUsers, seed });
    // If most users have few rows, holding out fewer rows of more users is more accurate.
    if (2 * new Set(split.test.users.codes).size > asked) return split;
  }
  return leaveLastOut(interactions, { maxUsers, seed });
}

/** Evaluates recommenders and measures the time of it. */
export class Validation {
  readonly split: InteractionSplit;
  readonly k: number;
  readonly #clock: Clock;
  /** Seconds of all evaluations so far. */
  evaluationSeconds = 0;

  constructor(split: InteractionSplit, k: number, clock: Clock) {
    this.split = split;
    this.k = k;
    this.#clock = clock;
  }

  /** The recall@k of each user: [users]. */
  evaluate(recommender: Recommender): Float64Array {
    const start = this.#clock();
    const { recall } = evaluateUsers(recommender, this.split, [this.k]).metrics[0]!;
    this.evaluationSeconds += (this.#clock() - start) / 1000;
    return recall;
  }
}
