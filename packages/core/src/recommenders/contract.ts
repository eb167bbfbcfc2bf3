/** The interface of all recommenders, which the evaluation uses: baselines, factor models, and towers with an index. */
import type { CodeLists } from '../data/items-by-user.ts';

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
