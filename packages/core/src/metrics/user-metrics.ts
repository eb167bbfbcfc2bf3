/**
 * The metrics of a recommender for each user of a split. The recommender is called once for every user of the held-out
 * part; the items that the user has in the training part are left out of the list. A held-out item that is among them
 * cannot be recommended, and does not count as a positive.
 */
import { checkInteger } from '../checks/numbers.ts';
import { type CodeLists, codeCounts, itemsByUser, listOf } from '../data/items-by-user.ts';
import type { InteractionSplit } from '../data/split.ts';
import { OptionError } from '../errors/errors.ts';
import type { Recommender } from '../recommenders/contract.ts';
import { rankingMetrics } from './ranking.ts';

/** Share of the items, the most popular first, that is the head; all other items are the long tail. */
const HEAD_SHARE = 0.2;

/** The metrics that are computed for every user. */
export const USER_METRICS = ['recall', 'ndcg', 'reciprocalRank', 'longTailShare'] as const;
/** The name of a metric that is computed for every user. */
export type UserMetric = (typeof USER_METRICS)[number];
/** The values of each metric: [users]. */
export type UserMetrics = Readonly<Record<UserMetric, Float64Array>>;

/** The lists of a recommender for all users, and their metrics. */
export interface EvaluatedUsers {
  /** Codes of the users for whom the recommender was called. */
  readonly users: Int32Array;
  /** Number of users left out because all their held-out items are in their training part. */
  readonly skipped: number;
  /** [users] items to train on. */
  readonly historySizes: Int32Array;
  /** [users] items recommended, best first. */
  readonly lists: readonly Int32Array[];
  /** [ks] the metrics of all users at each k. */
  readonly metrics: readonly UserMetrics[];
  /** Items that can be recommended: those of the training part. */
  readonly itemCount: number;
}

/**
 * Call a recommender for every user of the held-out part, and compute the metrics of its lists.
 *
 * @throws {OptionError} when a k is not an integer of at least 1, or there is none
 */
export function evaluateUsers(
  recommender: Recommender,
  split: InteractionSplit,
  ks: readonly number[],
): EvaluatedUsers {
  if (ks.length === 0) throw new OptionError('ks: expected at least one k, got none');
  for (const k of ks) checkInteger('ks', k, 1);
  const histories = itemsByUser(split.train);
  const { users, positives, skipped } = testUsers(histories, itemsByUser(split.test));
  const counts = codeCounts(histories);
  const isTail = longTail(counts);
  const lists = users.length === 0 ? [] : recommender.recommend(users, histories, Math.max(...ks));
  return {
    users,
    skipped,
    historySizes: users.map((user) => histories.starts[user + 1]! - histories.starts[user]!),
    lists,
    metrics: ks.map((k) => metricsAt(k, lists, positives, isTail)),
    itemCount: counts.reduce((sum, count) => sum + Math.min(1, count), 0),
  };
}

interface TestUsers {
  users: Int32Array;
  positives: ReadonlySet<number>[];
  skipped: number;
}

function testUsers(histories: CodeLists, held: CodeLists): TestUsers {
  const users: number[] = [];
  const positives: ReadonlySet<number>[] = [];
  let skipped = 0;
  for (let user = 0; user < held.starts.length - 1; user++) {
    const wanted = new Set(listOf(held, user));
    if (wanted.size === 0) continue;
    for (const item of listOf(histories, user)) wanted.delete(item);
    if (wanted.size === 0) {
      skipped++;
      continue;
    }
    users.push(user);
    positives.push(wanted);
  }
  return { users: Int32Array.from(users), positives, skipped };
}

/** [items] 1 for every item outside the most popular fifth of those that were chosen at all. */
function longTail(counts: Int32Array): Uint8Array {
  const chosen = Int32Array.from(counts.keys()).filter((item) => counts[item]! > 0);
  chosen.sort((a, b) => counts[b]! - counts[a]! || a - b);
  const isTail = new Uint8Array(counts.length).fill(1);
  for (const item of chosen.subarray(0, Math.ceil(HEAD_SHARE * chosen.length))) isTail[item] = 0;
  return isTail;
}

function metricsAt(
  k: number,
  lists: readonly Int32Array[],
  positives: readonly ReadonlySet<number>[],
  isTail: Uint8Array,
): UserMetrics {
  const column = (): Float64Array => new Float64Array(lists.length);
  const metrics = { recall: column(), ndcg: column(), reciprocalRank: column(), longTailShare: column() };
  lists.forEach((list, user) => {
    const ranked = Array.from(list.subarray(0, k));
    const { recall, ndcg, reciprocalRank } = rankingMetrics(ranked, positives[user]!, k)!;
    metrics.recall[user] = recall;
    metrics.ndcg[user] = ndcg;
    metrics.reciprocalRank[user] = reciprocalRank;
    const tail = ranked.reduce((sum, item) => sum + isTail[item]!, 0);
    metrics.longTailShare[user] = ranked.length === 0 ? 0 : tail / ranked.length;
  });
  return metrics;
}
