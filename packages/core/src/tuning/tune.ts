/**
 * Search for the search settings of a ScaNN index that reach a recall in the least time, or the best recall within a time.
 *
 * Recall is measured against exact search of the same index on a sample of queries. For each number of leaves the smallest
 * number of reordered candidates that reaches the target is found by bisection; the number of leaves grows until more of
 * them cannot be cheaper. Settings are chosen on one half of the sample, with a margin for its error, and
 * checked on the other (query-sample.ts); where the check fails, the search is repeated with a higher target. Limit: queries
 * of another kind than the sample have another recall.
 */

import { throwIfAborted } from '../checks/abort.ts';
import { checkArgument } from '../checks/arguments.ts';
import { checkInteger, checkNumber } from '../checks/numbers.ts';
import {
  ANY,
  FUNCTION,
  NUMBER,
  OBJECT,
  type OptionsCheck,
  type OptionTypes,
  objectWith,
  optionsCheck,
  required,
  SIGNAL,
} from '../checks/options.ts';
import type { Progress } from '../clustering/k-means.ts';
import { OptionError, StateError } from '../errors/errors.ts';
import type { Identifier, Queries } from '../topk/contract.ts';
import type { RowsOfQueries } from '../topk/recall.ts';
import type { ScaNN } from '../topk/scann/scann.ts';
import type { SearchWork } from '../topk/scann/search/search-work.ts';
import { Matrix, type VectorsLike } from '../vectors/matrix.ts';
import { modelledLatencyMs } from './modelled-latency.ts';
import { paretoFront, type TradeOff } from './pareto.ts';
import { type SampledRecall, sampledRecall, sampleQueries } from './query-sample.ts';

/** Options of `tune`. */
export interface TuneOptions<Q = ArrayLike<number>> {
  /**
   * Queries like those to come, at least one: raw features where the index has a query model, as in a call; embeddings as
   * a `Matrix` or `{ data, dimensions }`, and as rows where it has none. The first `sampleSize` are used.
   */
  queries: Queries<Q> | VectorsLike;
  /** Reach this recall@k in the least time. Either this or `latencyBudgetMs`. */
  targetRecall?: number;
  /** Reach the best recall@k within this time per query. */
  latencyBudgetMs?: number;
  /**
   * The number of results of the calls for which the index is tuned; default the index's k. Pass it as `tunedK` with
   * the settings found, so that calls for more results search more.
   */
  k?: number;
  /** Number of queries used; default 500. The fewer they are, the larger is the margin for their sampling error. */
  sampleSize?: number;
  /**
   * Exact results of the queries used, where they are known; default exact search of the index, over its rows as it
   * keeps them.
   */
  truth?: RowsOfQueries;
  /** Milliseconds, to time queries by; without it latency is modelled from counted work, and every run has the same result. */
  clock?: () => number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** The types of these options, for the tables of options that include them. */
export const TUNE: OptionTypes<TuneOptions> = {
  queries: required(ANY),
  targetRecall: NUMBER,
  latencyBudgetMs: NUMBER,
  k: NUMBER,
  sampleSize: NUMBER,
  truth: OBJECT,
  clock: FUNCTION,
  signal: SIGNAL,
  onProgress: FUNCTION,
};
const checkOptions = optionsCheck<TuneOptions>('tune', TUNE);

/** One setting tried. */
export interface TunedPoint extends TradeOff, SampledRecall {
  leavesToSearch: number;
  reorder: number;
  groupBound: number;
  /** Work per query: leaves searched; centroids, codes and candidates scored. */
  leaves: number;
  centroids: number;
  codes: number;
  reorders: number;
}

/** The result of `tune`; JSON. */
export interface TuneReport {
  k: number;
  queries: number;
  /** The setting to use; the one of best recall where none reaches the target. */
  chosen: TunedPoint;
  /**
   * True if the chosen setting reaches the target on both halves of the queries, on the first with a margin for its
   * error.
   */
  isTargetReached: boolean;
  /** The Pareto front of the settings tried, by recall ascending. */
  front: TunedPoint[];
  tried: number;
}

const SAMPLE = 500;
/** Factor between two numbers of leaves that are tried: a finer step costs more tries than it saves latency. */
const GROWTH = 1.35;
/** The most candidates reordered that are tried, per result: far more than codes ever need. */
const REORDER_MAX_PER_RESULT = 64;
/** Group bounds to try, as multiples of the index's own, where it has one. */
const BOUNDS = [2 / 3, 1, 3 / 2];
/** The most times that the target is raised where the check fails, each time by at least a quarter of its distance to 1. */
const CHECKS_MAX = 4;

/** The state of a run of `tune`. */
interface Tuning {
  k: number;
  leaves: number;
  /** Group bounds to try. */
  bounds: readonly number[];
  /** Every setting tried. */
  points: TunedPoint[];
  attempt: (leavesToSearch: number, reorder: number, groupBound: number) => Promise<TunedPoint>;
  onProgress: ((progress: Progress) => void) | undefined;
}

/**
 * Tune the search settings of a built index.
 *
 * @throws {OptionError} when not exactly one of target and budget is given, an option is unknown or out of range, or there
 * is no query
 * @throws {StateError} before `index`, and while the index has no candidates
 * @throws {AbortedError} when the signal is raised
 */
export async function tune<Q, I extends Identifier>(index: ScaNN<Q, I>, options: TuneOptions<Q>): Promise<TuneReport> {
  checkArgument('index', index, objectWith('a ScaNN index', 'callExactly', 'stats'));
  checkTuneOptions(options);
  const { targetRecall, latencyBudgetMs, k = index.k, sampleSize = SAMPLE, signal, onProgress } = options;
  if (index.size === 0) throw new StateError('tune: expected an index with candidates, got an empty one');
  const queries = sampleQueries(index, options.queries, sampleSize);
  const truth = options.truth ?? index.callExactly(queries, k);
  if (truth.queries !== queries.rows) {
    throw new OptionError(`truth: expected answers to ${queries.rows} queries, got ${truth.queries}`);
  }
  const stats = index.stats();
  const points: TunedPoint[] = [];
  const tries = new Map<string, TunedPoint>();
  const attempt = async (leavesToSearch: number, reorder: number, groupBound: number): Promise<TunedPoint> => {
    const key = `${leavesToSearch} ${reorder} ${groupBound}`;
    const known = tries.get(key);
    if (known) return known;
    await new Promise((resolve) => setTimeout(resolve, 0));
    throwIfAborted('tune', signal);
    const point = measure(index, queries, truth, { k, leavesToSearch, reorder, groupBound }, options.clock);
    tries.set(key, point);
    points.push(point);
    return point;
  };
  const bounds = stats.hasGroupBounds ? [...BOUNDS.map((share) => share * stats.groupBound), 0] : [0];
  const tuning = { k, leaves: Math.max(1, stats.leaves), bounds, points, attempt, onProgress };
  const chosen =
    targetRecall !== undefined
      ? await tuneForRecall(tuning, targetRecall)
      : await tuneForLatency(tuning, latencyBudgetMs!);
  const fallback = targetRecall !== undefined ? mostRecall(points) : cheapestOf(points);
  return {
    k,
    queries: queries.rows,
    chosen: chosen ?? fallback,
    isTargetReached: chosen !== undefined,
    front: paretoFront(points),
    tried: points.length,
  };
}

/**
 * The checks of `tune`'s own options.
 *
 * @throws {OptionError} as `tune`
 */
export function checkTuneOptions<Q>(options: TuneOptions<Q>, check: OptionsCheck = checkOptions): void {
  const { targetRecall, latencyBudgetMs, k, sampleSize = SAMPLE } = check(options);
  if ((targetRecall === undefined) === (latencyBudgetMs === undefined)) {
    const got = targetRecall === undefined ? 'neither' : 'both';
    throw new OptionError(`tune: expected either targetRecall or latencyBudgetMs, got ${got}`);
  }
  if (targetRecall !== undefined) checkNumber('targetRecall', targetRecall, 0, 1);
  if (latencyBudgetMs !== undefined) checkNumber('latencyBudgetMs', latencyBudgetMs, 0);
  if (k !== undefined) checkInteger('k', k, 1);
  checkInteger('sampleSize', sampleSize, 1);
}

/** The cheapest setting that reaches a recall, chosen on one half of the queries and checked on the other. */
async function tuneForRecall(tuning: Tuning, target: number): Promise<TunedPoint | undefined> {
  let asked = target;
  for (let check = 0; check < CHECKS_MAX && asked <= 1; check++) {
    await searchForRecall(tuning, asked);
    const reaching = tuning.points.filter(({ recallLowerBound }) => recallLowerBound >= target);
    const chosen = chooseBest(
      reaching.filter(({ checkedRecall }) => checkedRecall >= target),
      true,
    );
    if (chosen) return chosen;
    const checked = Math.max(0, ...reaching.map(({ checkedRecall }) => checkedRecall));
    // No setting reached the target on the first half, so none reaches a higher one.
    if (reaching.length === 0) return undefined;
    asked = asked === 1 ? 2 : Math.min(1, asked + Math.max(target - checked, (1 - asked) / 4));
  }
  return undefined;
}

async function searchForRecall(tuning: Tuning, asked: number): Promise<void> {
  const { k, bounds, points, attempt, onProgress } = tuning;
  const isReached = (point: TunedPoint): boolean => point.recallLowerBound >= asked;
  const grid = leafGrid(tuning.leaves);
  for (const [i, leavesToSearch] of grid.entries()) {
    onProgress?.({ step: 'tune', done: i, total: grid.length });
    const best = chooseBest(points.filter(isReached), true);
    let isReachedHere = false;
    for (const groupBound of bounds) {
      // Without a group bound only where no bound reaches the target: bounds limit the recall of wide rows.
      if (groupBound === 0 && isReachedHere) continue;
      const tried = async (reorder: number): Promise<boolean> =>
        isReached(await attempt(leavesToSearch, reorder, groupBound));
      isReachedHere = (await leastReorder(k, tried)) || isReachedHere;
    }
    if (best && cheapestAt(points, leavesToSearch) > best.latencyMs) break;
  }
  onProgress?.({ step: 'tune', done: grid.length, total: grid.length });
}

/** The setting of most recall within a time. */
async function tuneForLatency(tuning: Tuning, budgetMs: number): Promise<TunedPoint | undefined> {
  const { k, bounds, points, attempt, onProgress } = tuning;
  const isWithin = (point: TunedPoint): boolean => point.latencyMs <= budgetMs;
  const grid = leafGrid(tuning.leaves);
  for (const [i, leavesToSearch] of grid.entries()) {
    onProgress?.({ step: 'tune', done: i, total: grid.length });
    for (const groupBound of bounds) {
      for (let reorder = k; reorder <= k * REORDER_MAX_PER_RESULT; reorder *= 2) {
        if (!isWithin(await attempt(leavesToSearch, reorder, groupBound))) break;
      }
    }
    if (cheapestAt(points, leavesToSearch) > budgetMs) break;
  }
  onProgress?.({ step: 'tune', done: grid.length, total: grid.length });
  return chooseBest(points.filter(isWithin), false);
}

function cheapestAt(points: readonly TunedPoint[], leavesToSearch: number): number {
  return Math.min(...points.filter((p) => p.leavesToSearch === leavesToSearch).map((p) => p.latencyMs));
}

/** Try the smallest reordering that reaches the target, by halving; false where not even the largest does. */
async function leastReorder(k: number, isReachedWith: (reorder: number) => Promise<boolean>): Promise<boolean> {
  let high = k * REORDER_MAX_PER_RESULT;
  if (!(await isReachedWith(high))) return false;
  let low = k;
  if (await isReachedWith(low)) return true;
  while (high > low * 1.15 && high - low > 1) {
    const middle = Math.round(Math.sqrt(low * high));
    if (await isReachedWith(middle)) high = middle;
    else low = middle;
  }
  return true;
}

function measure<Q, I extends Identifier>(
  index: ScaNN<Q, I>,
  queries: Matrix,
  truth: RowsOfQueries,
  call: { k: number; leavesToSearch: number; reorder: number; groupBound: number },
  clock: (() => number) | undefined,
): TunedPoint {
  const work: SearchWork = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
  const found = index.call(queries, { ...call, work });
  const { dimensions, codedDimensions, blocks, isRotated } = index.stats();
  const shape = { dimensions, codedDimensions, blocks, isRotated };
  return {
    leavesToSearch: call.leavesToSearch,
    reorder: call.reorder,
    groupBound: call.groupBound,
    ...sampledRecall(found, truth),
    latencyMs: clock ? timeQueries(index, queries, call, clock) : modelledLatencyMs(work, shape),
    sizeBytes: index.sizeBytes,
    leaves: work.leaves / work.queries,
    centroids: work.centroids / work.queries,
    codes: work.codes / work.queries,
    reorders: work.reorders / work.queries,
  };
}

/** Median time of single queries; each runs twice, and the second run counts. */
function timeQueries<Q, I extends Identifier>(
  index: ScaNN<Q, I>,
  queries: Matrix,
  call: { k: number; leavesToSearch: number; reorder: number; groupBound: number },
  clock: () => number,
): number {
  const rows = Array.from({ length: queries.rows }, (_, i) => Matrix.from('queries', [queries.row(i)], index.runtime));
  const times: number[] = [];
  for (const isWarm of [false, true]) {
    for (const row of rows) {
      const start = clock();
      index.call(row, call);
      if (isWarm) times.push(clock() - start);
    }
  }
  for (const row of rows) row.free();
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

/** 1, 2, 3, 4, 6, 8, … all leaves. */
function leafGrid(leaves: number): number[] {
  const grid: number[] = [];
  for (let l = 1; l < leaves; l = Math.max(l + 1, Math.round(l * GROWTH))) grid.push(l);
  return [...grid, leaves];
}

/** The fastest, or the one of most recall and then the fastest; undefined of none. */
export function chooseBest<P extends TradeOff>(points: readonly P[], byTime: boolean): P | undefined {
  return points.toSorted((a, b) =>
    byTime ? a.latencyMs - b.latencyMs : b.recall - a.recall || a.latencyMs - b.latencyMs,
  )[0];
}

function mostRecall(points: readonly TunedPoint[]): TunedPoint {
  return points.toSorted((a, b) => b.recall - a.recall || a.latencyMs - b.latencyMs)[0]!;
}

function cheapestOf(points: readonly TunedPoint[]): TunedPoint {
  return points.toSorted((a, b) => a.latencyMs - b.latencyMs)[0]!;
}
