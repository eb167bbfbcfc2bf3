/** Evaluates the baselines on the test part of a split, and compares a model with them. */
import { AbortedError } from 'shortlist';
import { compareEvaluations, type Estimate, evaluateRecommender, type RecommenderEvaluation } from 'shortlist/metrics';
import {
  baselineFits,
  type InteractionSplit,
  ItemKnn,
  itemsByUser,
  listOf,
  takeInteractions,
} from 'shortlist/recommenders';

/** Users of the short fit by which the time of item-kNN is estimated. */
const ESTIMATE_USERS = 500;

/** Options of the evaluation of baselines. */
export interface BaselineOptions {
  readonly ks: readonly number[];
  readonly seed: number;
  /** True if times are dates, and not positions in a sequence; then recent popularity is one of the baselines. */
  readonly hasTimes: boolean;
  /** A baseline whose fit is estimated to take longer is left out. */
  readonly secondsMax: number;
  /** A clock in milliseconds that never goes back. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Called before the fit of each baseline. */
  readonly onStart: (name: string) => void;
  /** Called with each baseline that is left out, and the estimated seconds of its fit. */
  readonly onLeftOut: (name: string, seconds: number) => void;
}

/**
 * Evaluates popularity, recent popularity, item-kNN and EASE.
 *
 * @throws {AbortedError} between two baselines, when the signal is raised
 */
export async function* evaluateBaselines(
  split: InteractionSplit,
  { ks, seed, hasTimes, secondsMax, now, signal, onStart, onLeftOut }: BaselineOptions,
): AsyncGenerator<RecommenderEvaluation> {
  const train = hasTimes ? split.train : { ...split.train, times: undefined };
  for (const { name, fit } of baselineFits(train)) {
    const seconds = name === 'item-kNN' ? itemKnnSeconds(split, now) : 0;
    if (seconds > secondsMax) {
      onLeftOut(name, seconds);
      continue;
    }
    onStart(name);
    // A baseline blocks the event loop for seconds; here progress is written and Ctrl-C is handled.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw new AbortedError('interrupted during the baselines');
    yield evaluateRecommender(fit(), split, { ks, seed });
  }
}

/**
 * The estimated seconds of the fit of item-kNN, from the time of a fit on a sample of users. The work of a fit is the number
 * of pairs of items in the histories.
 */
function itemKnnSeconds({ train }: InteractionSplit, now: () => number): number {
  const lists = itemsByUser(train);
  const users = lists.starts.length - 1;
  const step = Math.max(1, Math.floor(users / ESTIMATE_USERS));
  let [all, sampled] = [0, 0];
  for (let user = 0; user < users; user++) {
    const pairs = listOf(lists, user).length ** 2;
    all += pairs;
    if (user % step === 0) sampled += pairs;
  }
  const rows = Int32Array.from(train.users.codes.keys()).filter((row) => train.users.codes[row]! % step === 0);
  const start = now();
  new ItemKnn(takeInteractions(train, rows));
  return ((now() - start) / 1000) * (all / Math.max(1, sampled));
}

/** The comparison of a model with a baseline. */
export interface Comparison {
  readonly baseline: string;
  /** Recall at the first k of the model minus that of the baseline, over the same users. */
  readonly difference: Estimate;
  /** `better` or `worse` if the interval does not contain 0. */
  readonly verdict: 'better' | 'worse' | 'neither';
}

/** Compares a model with each baseline. */
export function compareWithBaselines(
  model: RecommenderEvaluation,
  baselines: readonly RecommenderEvaluation[],
  seed: number,
): Comparison[] {
  return baselines.map((baseline) => {
    const difference = compareEvaluations(model, baseline, { seed });
    const verdict = difference.low > 0 ? 'better' : difference.high < 0 ? 'worse' : 'neither';
    return { baseline: baseline.name, difference, verdict };
  });
}

/** An evaluation without the metrics of single users. */
export type EvaluatedModel = Omit<RecommenderEvaluation, 'perUser'>;

/** Removes the metrics of single users from an evaluation. */
export function evaluatedModel({ perUser: _, ...rest }: RecommenderEvaluation): EvaluatedModel {
  return rest;
}
