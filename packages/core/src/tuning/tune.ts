/**
 * Find the settings of a ScaNN index that reach a recall in the least time, or the best recall within a time.
 *
 * Truth is the exact answer of the index itself on a sample of queries, found in groups, so that no more than results is
 * in memory. For each number of leaves the smallest reordering that reaches the target is found by halving; leaves grow
 * until more of them cannot be cheaper.
 */
import { throwIfAborted } from '../checks/abort.ts';
import { checkInteger, checkNumber } from '../checks/numbers.ts';
import type { Progress } from '../clustering/k-means.ts';
import { OptionError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Identifier } from '../topk/contract.ts';
import { type RowsOfQueries, recallOf } from '../topk/recall.ts';
import type { ScaNN } from '../topk/scann/scann.ts';
import type { SearchWork } from '../topk/scann/search/search.ts';
import { Matrix, type VectorsLike } from '../vectors/matrix.ts';
import { paretoFront, type TradeOff } from './pareto.ts';

/** Options of `tune`. */
export interface TuneOptions {
  /** Queries like those to come; embeddings. The first `sampleSize` are used. */
  queries: VectorsLike;
  /** Reach this recall@k in the least time. Either this or `latencyBudgetMs`. */
  targetRecall?: number;
  /** Reach the best recall@k within this time a query. */
  latencyBudgetMs?: number;
  k?: number;
  /** Queries looked at; default 500. */
  sampleSize?: number;
  /** Exact answers to the queries looked at, where they are known; default the index's own, from its rows as it keeps them. */
  truth?: RowsOfQueries;
  /** Milliseconds, to time queries by; without it the counted work is taken for time, and results do not vary. */
  clock?: () => number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** One setting tried. */
export interface TunedPoint extends TradeOff {
  leavesToSearch: number;
  reorder: number;
  groupBound: number;
  /** Work a query: leaves searched; centroids, codes and candidates scored. */
  leaves: number;
  centroids: number;
  codes: number;
  reorders: number;
}

/** What was found; JSON. */
export interface TuneReport {
  k: number;
  queries: number;
  /** The setting to use; the one of best recall where none reaches the target. */
  chosen: TunedPoint;
  isTargetReached: boolean;
  /** Settings that none tried betters, by recall. */
  front: TunedPoint[];
  tried: number;
}

const SAMPLE = 500;
/** Leaves grow by this factor from try to try, a step that costs less than it may miss. */
const GROWTH = 1.35;
/** Reordering tried, in results: from no choice at all to far more than codes ever need. */
const REORDER_MAX_PER_RESULT = 64;
/** Bounds of groups tried where the index has them, in its own. */
const BOUNDS = [2 / 3, 1, 3 / 2];
/**
 * Nanoseconds of a product with a centroid, a code and a candidate, a dimension or a block, on one core (measured), and of
 * a leaf searched, however few of its groups are: its first line comes from memory.
 */
const LEAF_NS = 120;
const CENTROID_NS = 0.03;
const CODE_NS = 0.025;
const REORDER_NS = 60;

/**
 * Tune the search settings of a built index.
 *
 * @throws {OptionError} when not exactly one of target and budget is given, or one is out of range
 * @throws {StateError} before `index`
 * @throws {AbortedError} when the signal is raised
 */
export async function tune<Q, I extends Identifier>(index: ScaNN<Q, I>, options: TuneOptions): Promise<TuneReport> {
  const { targetRecall, latencyBudgetMs, k = index.k, sampleSize = SAMPLE, signal, onProgress } = options;
  if ((targetRecall === undefined) === (latencyBudgetMs === undefined)) {
    throw new OptionError('tune: expected one of targetRecall and latencyBudgetMs, got both or none');
  }
  if (targetRecall !== undefined) checkNumber('targetRecall', targetRecall, 0, 1);
  if (latencyBudgetMs !== undefined) checkNumber('latencyBudgetMs', latencyBudgetMs, 0);
  checkInteger('sampleSize', sampleSize, 1);
  const queries = sampleQueries(index.runtime, options.queries, sampleSize);
  const truth = options.truth ?? index.callExactly(queries as never, k);
  const stats = index.stats();
  const points: TunedPoint[] = [];
  const tries = new Map<string, TunedPoint>();
  const bounds = stats.hasGroupBounds ? [...BOUNDS.map((share) => share * stats.groupBound), 0] : [0];
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
  const isGood = (point: TunedPoint): boolean =>
    targetRecall !== undefined ? point.recall >= targetRecall : point.latencyMs <= latencyBudgetMs!;
  const grid = leafGrid(Math.max(1, stats.leaves));
  for (const [i, leavesToSearch] of grid.entries()) {
    onProgress?.({ step: 'tune', done: i, total: grid.length });
    const best = chooseBest(points.filter(isGood), targetRecall !== undefined);
    let isReached = false;
    for (const groupBound of bounds) {
      // Whole leaves are the last resort: bounds cap the recall of wide rows.
      if (groupBound === 0 && isReached) continue;
      if (targetRecall !== undefined) {
        const tried = (reorder: number): Promise<TunedPoint> => attempt(leavesToSearch, reorder, groupBound);
        isReached = (await leastReorder(k, targetRecall, tried)) || isReached;
      } else {
        for (let reorder = k; reorder <= k * REORDER_MAX_PER_RESULT; reorder *= 2) {
          if (!isGood(await attempt(leavesToSearch, reorder, groupBound))) break;
        }
      }
    }
    const cheapest = Math.min(...points.filter((p) => p.leavesToSearch === leavesToSearch).map((p) => p.latencyMs));
    if (targetRecall !== undefined && best && cheapest > best.latencyMs) break;
    if (latencyBudgetMs !== undefined && cheapest > latencyBudgetMs) break;
  }
  onProgress?.({ step: 'tune', done: grid.length, total: grid.length });
  const good = points.filter(isGood);
  const fallback = targetRecall !== undefined ? mostRecall(points) : cheapestOf(points);
  return {
    k,
    queries: queries.rows,
    chosen: chooseBest(good, targetRecall !== undefined) ?? fallback,
    isTargetReached: good.length > 0,
    front: paretoFront(points),
    tried: points.length,
  };
}

/** Try the smallest reordering that reaches the target, by halving; false where not even the largest does. */
async function leastReorder(
  k: number,
  target: number,
  attempt: (reorder: number) => Promise<TunedPoint>,
): Promise<boolean> {
  let high = k * REORDER_MAX_PER_RESULT;
  if ((await attempt(high)).recall < target) return false;
  let low = k;
  if ((await attempt(low)).recall >= target) return true;
  while (high > low * 1.15 && high - low > 1) {
    const middle = Math.round(Math.sqrt(low * high));
    if ((await attempt(middle)).recall >= target) high = middle;
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
  const found = index.call(queries as never, { ...call, work } as never);
  const n = queries.rows;
  const { dimensions, blocks } = index.stats();
  const codes = work.codes / n;
  const centroids = work.centroids / n;
  const reorders = work.reorders / n;
  const leaves = work.leaves / n;
  const modelled =
    (leaves * LEAF_NS + centroids * dimensions * CENTROID_NS + codes * blocks * CODE_NS + reorders * REORDER_NS) / 1e6;
  return {
    leavesToSearch: call.leavesToSearch,
    reorder: call.reorder,
    groupBound: call.groupBound,
    recall: recallOf(found, truth),
    latencyMs: clock ? timeQueries(index, queries, call, clock) : modelled,
    sizeBytes: index.sizeBytes,
    leaves,
    centroids,
    codes,
    reorders,
  };
}

/** Median time of single queries, the second time each is asked. */
function timeQueries<Q, I extends Identifier>(
  index: ScaNN<Q, I>,
  queries: Matrix,
  call: { k: number; leavesToSearch: number; reorder: number; groupBound: number },
  clock: () => number,
): number {
  const rows = Array.from({ length: queries.rows }, (_, i) => queries.row(i));
  const times: number[] = [];
  for (const isWarm of [false, true]) {
    for (const row of rows) {
      const start = clock();
      index.call(row as never, call as never);
      if (isWarm) times.push(clock() - start);
    }
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

/** The first queries, in the memory of a runtime. */
export function sampleQueries(runtime: Runtime, queries: VectorsLike, sampleSize: number): Matrix {
  const all = Matrix.from('queries', queries, runtime);
  if (all.rows <= sampleSize) return all;
  const sample = new Matrix(sampleSize, all.dimensions, runtime);
  sample.data.set(all.data.subarray(0, sampleSize * all.dimensions));
  return sample;
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
