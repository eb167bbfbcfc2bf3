/**
 * Evaluation of a recommender on a split: means over users, each with a bootstrap interval, over all users and over new
 * and heavy users separately.
 *
 *   recall@k, nDCG@k, reciprocal rank (its mean is MRR)   metrics/ranking.ts
 *   coverage          different items among all lists / items of the training part
 *   long-tail share   share of a list that is not among the most popular fifth of those items, the mean over users
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkOneOf } from '../checks/numbers.ts';
import { LIST, NUMBER, objectWith, optionsCheck, STRING } from '../checks/options.ts';
import { checkInteractions } from '../data/interactions.ts';
import type { InteractionSplit } from '../data/split.ts';
import type { Recommender } from '../recommenders/contract.ts';
import {
  type BootstrapOptions,
  bootstrapDifference,
  drawRows,
  type Estimate,
  intervalOf,
  meanOf,
} from './bootstrap.ts';
import { newAndHeavyUsers } from './segments.ts';
import { type EvaluatedUsers, evaluateUsers, USER_METRICS, type UserMetric, type UserMetrics } from './user-metrics.ts';

/** Metrics at one k. */
export interface RecommenderMetrics extends Readonly<Record<UserMetric, Estimate>> {
  readonly k: number;
  /** Its interval has the width of the interval of the draws and is centred on the value itself: a draw with replacement has fewer
   * distinct users, so its own coverage is lower. */
  readonly coverage: Estimate;
}

/** Metrics of a group of users. */
export interface SegmentMetrics {
  readonly name: string;
  /** The group in words, with its bounds. */
  readonly description: string;
  readonly users: number;
  /** One entry per k; empty where the group is. */
  readonly metrics: readonly RecommenderMetrics[];
}

/** The result of an evaluation. */
export interface RecommenderEvaluation {
  readonly name: string;
  /** Number of users that the means are over. */
  readonly users: number;
  /** Number of users left out because all their held-out items are in their training part. */
  readonly skipped: number;
  /** One entry per k, in the order of `ks`; empty when no user was evaluated. */
  readonly metrics: readonly RecommenderMetrics[];
  readonly segments: readonly SegmentMetrics[];
  /** [ks] the metrics of every user, in the order of their codes. */
  readonly perUser: readonly UserMetrics[];
}

/** Options of `evaluateRecommender`. */
export interface EvaluateRecommenderOptions extends BootstrapOptions {
  /** Cut-offs; default 10. */
  ks?: readonly number[];
}

const BOOTSTRAP = { resamples: NUMBER, confidence: NUMBER, seed: NUMBER };
const checkOptions = optionsCheck<EvaluateRecommenderOptions>('evaluateRecommender', { ks: LIST, ...BOOTSTRAP });

/**
 * Evaluate a recommender on the held-out part of a split.
 *
 * @throws {OptionError} when a k is not an integer of at least 1, or there is none
 */
export function evaluateRecommender(
  recommender: Recommender,
  split: InteractionSplit,
  options: EvaluateRecommenderOptions = {},
): RecommenderEvaluation {
  checkArgument('recommender', recommender, objectWith('a recommender, which has `recommend`', 'recommend'));
  checkArgument('split', split, objectWith('a split into train and test', 'train', 'test'));
  checkInteractions(split.train);
  checkInteractions(split.test);
  const { ks = [10], ...bootstrap } = checkOptions(options);
  const evaluated = evaluateUsers(recommender, split, ks);
  const { users, skipped, historySizes } = evaluated;
  const measure = (members: Int32Array): RecommenderMetrics[] =>
    members.length === 0 ? [] : ks.map((k, i) => metricsOf(evaluated, members, k, i, bootstrap));
  const everybody = Int32Array.from(users.keys());
  const segments = newAndHeavyUsers(historySizes).map(({ name, description, has }) => {
    const members = everybody.filter((row) => has(historySizes[row]!));
    return { name, description, users: members.length, metrics: measure(members) };
  });
  return {
    name: recommender.name,
    users: users.length,
    skipped,
    metrics: measure(everybody),
    segments,
    perUser: evaluated.metrics,
  };
}

/** Options of `compareEvaluations`. */
export interface CompareOptions extends BootstrapOptions {
  /** Default 'recall'. */
  metric?: UserMetric;
}

const checkCompareOptions = optionsCheck<CompareOptions>('compareEvaluations', { metric: STRING, ...BOOTSTRAP });

/**
 * The difference of a metric between two evaluations on the same split, first minus second, at the first k, with an
 * interval. The first is worse where the whole interval is below 0.
 */
export function compareEvaluations(
  a: RecommenderEvaluation,
  b: RecommenderEvaluation,
  options: CompareOptions = {},
): Estimate {
  checkArgument('a', a, objectWith('an evaluation', 'perUser'));
  checkArgument('b', b, objectWith('an evaluation', 'perUser'));
  const { metric = 'recall', ...bootstrap } = checkCompareOptions(options);
  checkOneOf('metric', metric, USER_METRICS);
  return bootstrapDifference(a.perUser[0]![metric], b.perUser[0]![metric], bootstrap);
}

/** The metrics of some users; all their intervals use the same bootstrap draws. */
function metricsOf(
  { lists, metrics, itemCount }: EvaluatedUsers,
  members: Int32Array,
  k: number,
  cut: number,
  bootstrap: BootstrapOptions,
): RecommenderMetrics {
  const columns = USER_METRICS.map((name) => {
    const all = metrics[cut]![name];
    return Float64Array.from(members, (member) => all[member]!);
  });
  const own = Array.from(members, (member) => lists[member]!.subarray(0, k));
  const coverage = new Coverage(own, itemCount);
  const draws: number[][] = USER_METRICS.map(() => []);
  const covered: number[] = [];
  drawRows(members.length, bootstrap, (rows) => {
    columns.forEach((values, i) => {
      let sum = 0;
      for (let j = 0; j < rows.length; j++) sum += values[rows[j]!]!;
      draws[i]!.push(sum / rows.length);
    });
    covered.push(coverage.of(rows));
  });
  const estimates = USER_METRICS.map(
    (name, i) => [name, intervalOf(meanOf(columns[i]!), draws[i]!, bootstrap)] as const,
  );
  const value = coverage.of(Int32Array.from(members.keys()));
  const shift = value - meanOf(Float64Array.from(covered));
  const { low, high } = intervalOf(value, covered, bootstrap);
  return {
    k,
    ...(Object.fromEntries(estimates) as Record<UserMetric, Estimate>),
    coverage: { mean: value, low: low + shift, high: Math.min(1, high + shift) },
  };
}

/** The share of the items that are in at least one of the lists. */
class Coverage {
  readonly #lists: readonly Int32Array[];
  readonly #itemCount: number;
  readonly #stamps: Int32Array;
  #stamp = 0;

  constructor(lists: readonly Int32Array[], itemCount: number) {
    this.#lists = lists;
    this.#itemCount = itemCount;
    const last = lists.reduce((largest, list) => list.reduce((a, b) => Math.max(a, b), largest), -1);
    this.#stamps = new Int32Array(last + 1);
  }

  of(rows: Int32Array): number {
    const stamp = ++this.#stamp;
    let count = 0;
    for (const row of rows) {
      for (const item of this.#lists[row]!) {
        if (this.#stamps[item] === stamp) continue;
        this.#stamps[item] = stamp;
        count++;
      }
    }
    return count / this.#itemCount;
  }
}
