/** Recommenders judged on the held-out part of a split: the baselines one after the other, and what a model is beside them. */
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

/** Users by whom the pace of item-kNN is measured. */
const PACE_USERS = 500;

/** Options of the evaluation of baselines. */
export interface BaselineOptions {
  readonly ks: readonly number[];
  readonly seed: number;
  /** Times are moments, not places in a sequence: recent popularity is among the baselines. */
  readonly hasTimes: boolean;
  /** A baseline whose fit is estimated to take longer is left out. */
  readonly secondsMax: number;
  /** Milliseconds that only ever grow. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Called before each. */
  readonly onStart: (name: string) => void;
  /** Called with each that is left out. */
  readonly onLeftOut: (name: string, seconds: number) => void;
}

/**
 * Judges popularity, recent popularity, item-kNN and EASE.
 *
 * @throws {AbortedError} between two of them, when the signal is raised
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
    // Each holds the thread for seconds: the line above is seen, and Ctrl-C is heard, between them.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw new AbortedError('the baselines: interrupted');
    yield evaluateRecommender(fit(), split, { ks, seed });
  }
}

/**
 * The estimated seconds of item-kNN's fit, from the time that a fit on every so many users takes: a fit adds once for every pair
 * of items in a history.
 */
function itemKnnSeconds({ train }: InteractionSplit, now: () => number): number {
  const lists = itemsByUser(train);
  const users = lists.starts.length - 1;
  const step = Math.max(1, Math.floor(users / PACE_USERS));
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
  /** better or worse where the interval leaves out 0. */
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

/** An evaluation as a report holds it: without the figures of every user. */
export type EvaluatedModel = Omit<RecommenderEvaluation, 'perUser'>;

/** The evaluation without the figures of every user. */
export function evaluatedModel({ perUser: _, ...rest }: RecommenderEvaluation): EvaluatedModel {
  return rest;
}
