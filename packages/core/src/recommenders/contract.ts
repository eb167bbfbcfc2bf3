/** The interface of every recommender: baselines, factor models, and towers behind an index are evaluated through it. */
import type { CodeLists } from '../data/items-by-user.ts';

/** Ranks items for users; users and items are codes of the interactions it was fitted on. */
export interface Recommender {
  /** As a table prints it. */
  readonly name: string;
  /**
   * The k best items of each user that are not in the user's history, best first; fewer where fewer exist.
   *
   * @param users codes; the history of user u is list u of `histories`
   * @param histories the items of every user, the earliest first; a user without any gets what everybody would
   */
  recommend(users: Int32Array, histories: CodeLists, k: number): Int32Array[];
}
