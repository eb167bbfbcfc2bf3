/** The interface of all recommenders, which the evaluation uses: baselines, factor models, and towers with an index. */
import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { instanceOf } from '../checks/options.ts';
import { type CodeLists, LISTS } from '../data/items-by-user.ts';

/**
 * Check what `recommend` is given.
 *
 * @throws {OptionError} when an argument is of another type, a user has no list, or k is not an integer of at least 0
 */
export function checkRecommend(users: Int32Array, histories: CodeLists, k: number): void {
  checkArgument('users', users, USERS);
  checkArgument('histories', histories, LISTS);
  checkInteger('k', k, 0);
  for (let i = 0; i < users.length; i++) checkInteger('users', users[i]!, 0, histories.starts.length - 2);
}

const USERS = instanceOf('an Int32Array', () => Int32Array);

/** Ranks items for users. Users and items are codes of the interactions on which it was fitted. */
export interface Recommender {
  /** The name in tables of results. */
  readonly name: string;
  /**
   * The k best items of each user that are not in the user's history, best first; fewer where fewer exist.
   *
   * @param users codes; the history of user u is list u of `histories`
   * @param histories the items of every user, the earliest first; a user without a history gets results that do not
   * depend on the user
   */
  recommend(users: Int32Array, histories: CodeLists, k: number): Int32Array[];
}
