/**
 * Item-item k nearest neighbours: items are similar when many users chose both (cosine of their sets of users).
 *
 *   similarity(i, j) = c_ij / (√(n_i n_j) + shrink)     c_ij users who chose i and j, n_i users who chose i
 *   score(user, j)   = Σ_{i in the history, i among the `neighbors` nearest of j} similarity(i, j)
 *
 * Source: Sarwar et al., "Item-based collaborative filtering recommendation algorithms", WWW 2001; the shrink term after
 * Bell and Koren 2007. Work: Σ_users |history|² additions to fit. A list with fewer than k
 * neighbours of the history is filled with the most popular items.
 */
import { checkInteger, checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { checkInteractions, type Interactions } from '../data/interactions.ts';
import { type CodeLists, itemsByUser, listOf, transposeLists } from '../data/items-by-user.ts';
import { BestItems } from './best-items.ts';
import { checkRecommend, type Recommender } from './contract.ts';
import { Popularity } from './popularity.ts';

/** Options of `ItemKnn`. */
export interface ItemKnnOptions {
  /** Number of neighbours kept for each item; default 100. */
  neighbors?: number;
  /** Lowers the similarity of pairs that few users chose; default 10. */
  shrink?: number;
}

const checkOptions = optionsCheck<ItemKnnOptions>('ItemKnn', { neighbors: NUMBER, shrink: NUMBER });

/** Ranks items by their neighbours in the user's history. */
export class ItemKnn implements Recommender {
  readonly name = 'item-kNN';
  /** List i: the items that have item i among their nearest neighbours, with the similarities as weights. */
  readonly neighborsOf: CodeLists;
  readonly #popularity: Popularity;

  /** @throws {OptionError} when an option is out of range */
  constructor(interactions: Interactions, options: ItemKnnOptions = {}) {
    checkInteractions(interactions);
    const { neighbors = 100, shrink = 10 } = checkOptions(options);
    checkInteger('neighbors', neighbors, 1);
    checkNumber('shrink', shrink, 0);
    this.#popularity = new Popularity(interactions);
    this.neighborsOf = transposeLists(nearest(itemsByUser(interactions), neighbors, shrink));
  }

  recommend(users: Int32Array, histories: CodeLists, k: number): Int32Array[] {
    checkRecommend(users, histories, k);
    const { neighborsOf } = this;
    const { starts, codes, weights } = neighborsOf;
    const itemCount = neighborsOf.codeCount;
    const scores = new Float64Array(itemCount);
    const best = new BestItems(itemCount, k);
    const touched = new Int32Array(itemCount);
    return Array.from(users, (user) => {
      const history = listOf(histories, user);
      let count = 0;
      for (const item of history) {
        for (let i = starts[item]!; i < starts[item + 1]!; i++) {
          const other = codes[i]!;
          if (scores[other] === 0) touched[count++] = other;
          scores[other] = scores[other]! + weights![i]!;
        }
      }
      const among = touched.subarray(0, count).sort();
      const found = best.select(scores, history, among);
      for (const item of among) scores[item] = 0;
      return found.length < k ? this.#filled(user, found, histories, k) : found;
    });
  }

  #filled(user: number, found: Int32Array, histories: CodeLists, k: number): Int32Array {
    const [popular] = this.#popularity.recommend(Int32Array.of(user), histories, k);
    const has = new Set(found);
    const rest = popular!.filter((item) => !has.has(item));
    return Int32Array.of(...found, ...rest.subarray(0, k - found.length));
  }
}

/** List j: the nearest neighbours of item j, with their similarities. */
function nearest(byUser: CodeLists, neighbors: number, shrink: number): CodeLists {
  const byItem = transposeLists(byUser);
  const itemCount = byUser.codeCount;
  const usersOf = (item: number): number => byItem.starts[item + 1]! - byItem.starts[item]!;
  const together = new Float64Array(itemCount);
  const touched = new Int32Array(itemCount);
  const best = new BestItems(itemCount, neighbors);
  const lists: Int32Array[] = [];
  const similarities: Float32Array[] = [];
  const starts = new Int32Array(itemCount + 1);
  for (let item = 0; item < itemCount; item++) {
    let count = 0;
    for (const user of listOf(byItem, item)) {
      for (let i = byUser.starts[user]!; i < byUser.starts[user + 1]!; i++) {
        const other = byUser.codes[i]!;
        if (together[other] === 0) touched[count++] = other;
        together[other]!++;
      }
    }
    const among = touched.subarray(0, count).sort();
    for (const other of among)
      together[other] = together[other]! / (Math.sqrt(usersOf(item) * usersOf(other)) + shrink);
    const chosen = best.select(together, Int32Array.of(item), among);
    lists.push(chosen);
    similarities.push(Float32Array.from(chosen, (other) => together[other]!));
    starts[item + 1] = starts[item]! + chosen.length;
    for (const other of among) together[other] = 0;
  }
  const codes = new Int32Array(starts[itemCount]!);
  const weights = new Float32Array(starts[itemCount]!);
  lists.forEach((list, item) => {
    codes.set(list, starts[item]!);
    weights.set(similarities[item]!, starts[item]!);
  });
  return { starts, codes, weights, codeCount: itemCount };
}
