/**
 * Evaluation of an index per user: one query for each user, the items that the user already knows left out of the results,
 * and each metric as the mean over users.
 *
 * After TFRS's `examples/movielens.py` (evaluate): precision@k and recall@k with the training items removed; MRR, MAP,
 * nDCG, hit rate and coverage are added. Known items are excluded by a row filter, so that none can be
 * returned, whatever its score.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { LIST, objectWith, optionsCheck, optionType } from '../checks/options.ts';
import { OptionError } from '../errors/errors.ts';
import type { Identifier, Queries, TopK } from '../topk/contract.ts';
import { RANKING_METRICS, type RankingMetrics, rankingMetrics } from './ranking.ts';

/** A user to evaluate. */
export interface EvaluatedUser<Q, I extends Identifier> {
  /** Raw features when the index has a query model, an embedding otherwise. */
  query: Q;
  /** The identifiers that count as hits. */
  positives: readonly I[];
  /** Identifiers left out of the results, such as those trained on. */
  known?: readonly I[] | undefined;
}

/** Options of `evaluatePerUser`. */
export interface PerUserOptions {
  /** Cut-offs; default 10. */
  ks?: readonly number[];
}

const USERS = optionType(
  'a list of users with positives',
  (value) => Array.isArray(value) && value.every((user) => Array.isArray(user?.positives)),
);

const checkOptions = optionsCheck<PerUserOptions>('evaluatePerUser', { ks: LIST });

/** Means over users at one k. */
export interface PerUserMetrics extends RankingMetrics {
  /** The cut-off. */
  k: number;
  /** Different identifiers among all first k results / identifiers of the index's rows. */
  coverage: number;
}

/** The result of an evaluation. */
export interface PerUserResult {
  /** Number of users that the means are over. */
  users: number;
  /** Number of users left out because they have no positives. */
  skipped: number;
  /** One entry per k, in the order of `ks`; empty when no user had positives. */
  metrics: PerUserMetrics[];
}

/**
 * Evaluate an index over users.
 *
 * @throws {OptionError} when a k is not an integer of at least 1
 */
export function evaluatePerUser<Q, I extends Identifier>(
  index: TopK<Q, I>,
  users: readonly EvaluatedUser<Q, I>[],
  options: PerUserOptions = {},
): PerUserResult {
  checkArgument('index', index, objectWith('an index, which has `call`', 'call'));
  checkArgument('users', users, USERS);
  const { ks = [10] } = checkOptions(options);
  if (ks.length === 0) throw new OptionError('ks: expected at least one k, got none');
  for (const k of ks) checkInteger('ks', k, 1);
  const asked = users.filter((user) => user.positives.length > 0);
  const skipped = users.length - asked.length;
  if (asked.length === 0) return { users: 0, skipped, metrics: [] };
  const queries = asked.map((user) => user.query) as Queries<Q>;
  const result = index.queryWithExclusions(
    queries,
    asked.map((user) => user.known ?? []),
    Math.max(...ks),
  );
  const sums = ks.map((k) => ({ k, seen: new Set<I>(), totals: new Map(RANKING_METRICS.map((name) => [name, 0])) }));
  asked.forEach((user, b) => {
    const ranked = result.identifiers(b);
    const positives = new Set(user.positives);
    for (const { k, seen, totals } of sums) {
      const metrics = rankingMetrics(ranked, positives, k)!;
      for (const name of RANKING_METRICS) totals.set(name, totals.get(name)! + metrics[name]);
      for (let i = 0; i < Math.min(k, ranked.length); i++) seen.add(ranked[i]!);
    }
  });
  return {
    users: asked.length,
    skipped,
    metrics: sums.map(({ k, seen, totals }) => {
      const means = RANKING_METRICS.map((name) => [name, totals.get(name)! / asked.length] as const);
      return {
        k,
        ...(Object.fromEntries(means) as Record<(typeof RANKING_METRICS)[number], number>),
        coverage: seen.size / index.size,
      };
    }),
  };
}
