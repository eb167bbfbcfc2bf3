/**
 * Keeps the decoded seen items of users who have seen many. Each query of such a user excludes the same frozen list,
 * and an index remembers the rows of that list (topk/long-lists.ts).
 */
import type { Identifier } from '../topk/identifiers.ts';
import { joinedLists, LONG_LIST } from '../topk/long-lists.ts';

/**
 * The most pairs that are kept for all users together, about 30 MB with their rows. The lists of the users whose last
 * query is the longest ago are dropped first.
 */
const PAIRS_MAX = 2 ** 19;
/** The most items that are added to a kept list; with more, the list is dropped and made again at the next query. */
const ADDED_MAX = LONG_LIST;

interface Kept<I> {
  readonly base: readonly I[];
  readonly added: I[];
  joined: readonly I[];
}

/** Lists by the row of their user. */
export class LongExclusions<I extends Identifier> {
  /** The lists by row of the user, in the order of their last use, the latest last. */
  readonly #kept = new Map<number, Kept<I>>();
  #pairs = 0;

  /** The list of a user, from `make` if it is not kept. A long list is frozen. */
  of(row: number, make: () => I[]): readonly I[] {
    const kept = this.#kept.get(row);
    if (kept) {
      this.#kept.delete(row);
      this.#kept.set(row, kept);
      return kept.joined;
    }
    const list = make();
    if (list.length < LONG_LIST || list.length > PAIRS_MAX) return list;
    const base = Object.freeze(list);
    this.#kept.set(row, { base, added: [], joined: base });
    this.#pairs += base.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#pairs <= PAIRS_MAX) break;
      this.#drop(oldest);
    }
    return base;
  }

  /** Add items to the list of a user, if it is kept. */
  add(row: number, items: readonly I[]): void {
    const kept = this.#kept.get(row);
    if (!kept) return;
    if (kept.added.length + items.length > ADDED_MAX) {
      this.#drop(row);
      return;
    }
    kept.added.push(...items);
    kept.joined = joinedLists(kept.base, [...kept.added]);
  }

  #drop(row: number): void {
    this.#pairs -= this.#kept.get(row)!.base.length;
    this.#kept.delete(row);
  }
}
