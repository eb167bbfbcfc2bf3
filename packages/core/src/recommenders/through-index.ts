/** Makes a recommender from a model with an index, so that an evaluation uses the same index as the server. */

import { checkArgument } from '../checks/arguments.ts';
import { objectWith } from '../checks/options.ts';
import type { CodeLists } from '../data/items-by-user.ts';
import { listOf } from '../data/items-by-user.ts';
import type { Queries, TopK } from '../topk/contract.ts';
import { checkRecommend, type Recommender } from './contract.ts';

/** Queries per call: enough to keep the threads busy, few enough that the results stay small. */
const BATCH_USERS = 1024;

/** Parts of `ThroughIndex`. */
export interface ThroughIndexOptions<Q> {
  name: string;
  /** An index that takes raw features as queries; its identifiers are words of the item vocabulary. */
  index: TopK<Q, string>;
  /** [items] */
  itemVocabulary: readonly string[];
  /** The query of a user, from the user's code and the items of the history, the earliest first. */
  queryOf: (user: number, history: Int32Array) => Q;
}

/** Queries an index for every user, with the history excluded. */
export class ThroughIndex<Q> implements Recommender {
  readonly name: string;
  readonly #options: ThroughIndexOptions<Q>;
  readonly #codeOf: ReadonlyMap<string, number>;

  constructor(options: ThroughIndexOptions<Q>) {
    const names = ['name', 'index', 'queryOf', 'itemVocabulary'];
    checkArgument('options', options, objectWith(names.join(', '), ...names));
    this.name = options.name;
    this.#options = options;
    this.#codeOf = new Map(options.itemVocabulary.map((word, code) => [word, code]));
  }

  recommend(users: Int32Array, histories: CodeLists, k: number): Int32Array[] {
    checkRecommend(users, histories, k);
    const { index, queryOf, itemVocabulary } = this.#options;
    const found: Int32Array[] = [];
    for (let begin = 0; begin < users.length; begin += BATCH_USERS) {
      const batch = users.subarray(begin, begin + BATCH_USERS);
      const lists = Array.from(batch, (user) => listOf(histories, user));
      const queries = Array.from(batch, (user, i) => queryOf(user, lists[i]!));
      const seen = lists.map((list) => Array.from(list, (item) => itemVocabulary[item]!));
      const result = index.queryWithExclusions(queries as Queries<Q>, seen, k);
      for (let i = 0; i < batch.length; i++) {
        found.push(Int32Array.from(result.identifiers(i), (word) => this.#codeOf.get(word)!));
      }
    }
    return found;
  }
}
