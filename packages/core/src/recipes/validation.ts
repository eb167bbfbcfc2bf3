/** The validation part of a search: what is held out, and the recall of a recommender on it. */
import type { Interactions } from '../data/interactions.ts';
import { type InteractionSplit, leaveLastOut } from '../data/split.ts';
import { judgeUsers } from '../metrics/user-figures.ts';
import type { Recommender } from '../recommenders/contract.ts';
import type { Clock } from '../retrieval/progress.ts';

/** Products of a user with an item in one judgement: more users would cost more than they tell. */
const SCORES_MAX = 120_000_000;
/** Users at least, however many items there are. */
const USERS_MIN = 1000;
/** Held-out rows beyond which chance matters less than the settings do: recall .1 is known to within .006. */
const ROWS_WANTED = 10_000;
/** Rows of a user at most: what is held out cannot be learned from. */
const ROWS_OF_USER_MAX = 3;

/**
 * The last rows of users: of as many users as can be asked quickly, and where those are few several rows of each. A user keeps
 * more rows than are taken.
 */
export function validationSplit(interactions: Interactions, seed: number): InteractionSplit {
  const { length: itemCount } = interactions.items.vocabulary;
  const maxUsers = Math.max(USERS_MIN, Math.floor(SCORES_MAX / itemCount));
  const asked = Math.min(maxUsers, new Set(interactions.users.codes).size);
  const most = Math.min(ROWS_OF_USER_MAX, Math.max(1, Math.ceil(ROWS_WANTED / asked)));
  for (let count = most; count > 1; count--) {
    const split = leaveLastOut(interactions, { count, minInteractions: 2 * count + 1, maxUsers, seed });
    // Where most have few rows, fewer rows of more users tell more.
    if (2 * new Set(split.test.users.codes).size > asked) return split;
  }
  return leaveLastOut(interactions, { maxUsers, seed });
}

/** Judges recommenders, and counts the time that it takes. */
export class Validation {
  readonly split: InteractionSplit;
  readonly k: number;
  readonly #clock: Clock;
  /** In all judgements so far. */
  judgedSeconds = 0;

  constructor(split: InteractionSplit, k: number, clock: Clock) {
    this.split = split;
    this.k = k;
    this.#clock = clock;
  }

  /** [users] recall@k. */
  judge(recommender: Recommender): Float64Array {
    const start = this.#clock();
    const { recall } = judgeUsers(recommender, this.split, [this.k]).figures[0]!;
    this.judgedSeconds += (this.#clock() - start) / 1000;
    return recall;
  }
}
