/** Operating points: the fastest setting of a grid that reaches a recall, chosen for our index and for peers by the same rule. */
import { ScaNN, type ScannOptions } from 'shortlist';
import { quantile } from '../harness/interleave.ts';
import type { Peer } from '../harness/peer.ts';
import { recall, type VectorSet } from './sets.ts';

/** A setting: the leaves searched and the rows reordered. */
export interface Point {
  leavesToSearch: number;
  reorder: number;
}

/** A setting with its measured recall and latency. */
export interface Reached extends Point {
  recall: number;
  p50Ms: number;
}

/** Queries that are timed while a grid is scanned, and in a measured round. */
const SCAN_QUERIES = 1000;

/** Our index, with row numbers as identifiers. */
export type Own = ScaNN<Float32Array, number>;
export type OwnOptions = ScannOptions<Float32Array>;

/** Our index of a set. */
export function buildOurs(set: VectorSet, options: OwnOptions): { index: Own; seconds: number } {
  const distanceMeasure = set.metric === 'dot' ? 'dot_product' : set.metric === 'l2' ? 'squared_l2' : 'cosine';
  const start = performance.now();
  const index = new ScaNN<Float32Array, number>({ distanceMeasure, ...options });
  index.index({ data: set.base, dimensions: set.dimensions });
  return { index, seconds: (performance.now() - start) / 1000 };
}

/** Query i of a set. */
export function queryOf({ queries, dimensions }: VectorSet, i: number): Float32Array {
  const at = (i % (queries.length / dimensions)) * dimensions;
  return queries.subarray(at, at + dimensions);
}

/** Median and 99th percentile of single queries. */
export function latencyOf(
  index: Own,
  set: VectorSet,
  { leavesToSearch, reorder }: Point,
  repeat: number = SCAN_QUERIES,
): { p50Ms: number; p99Ms: number } {
  const options = { k: 10, leavesToSearch, reorder };
  const times = Float64Array.from({ length: repeat }, (_, i) => {
    const query = queryOf(set, i);
    const start = performance.now();
    index.call(query, options);
    return performance.now() - start;
  }).sort();
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

/** Queries a second in one call with all queries, on all threads. */
export function ourBatchPerSecond(index: Own, set: VectorSet, { leavesToSearch, reorder }: Point): number {
  const queries = { data: set.queries, dimensions: set.dimensions };
  const start = performance.now();
  index.call(queries, { k: 10, leavesToSearch, reorder });
  return set.queries.length / set.dimensions / ((performance.now() - start) / 1000);
}

/** Our recall with a setting. */
export function ourRecall(index: Own, set: VectorSet, point: Point): number {
  return recall(set.truth, (i) => index.call(queryOf(set, i), { k: 10, ...point }).rowsOf());
}

/** Our recall and latency for every setting of a grid. The latency is the better of two rounds, to exclude noise. */
export function scanOurs(index: Own, set: VectorSet, grid: readonly Point[]): Reached[] {
  return grid.map((point) => {
    const recall = ourRecall(index, set, point);
    const [first, second] = [latencyOf(index, set, point), latencyOf(index, set, point)];
    return { ...point, recall, p50Ms: Math.min(first.p50Ms, second.p50Ms) };
  });
}

/** The recall and latency of a peer for every setting of a grid, by the same rule. */
export async function scanPeer(peer: Peer, grid: readonly object[]): Promise<(Reached & { point: object })[]> {
  const reached = [];
  for (const point of grid) {
    const { recall: share } = await peer.request({ do: 'batch', ...point });
    const first = await peer.requestNumber({ do: 'query', repeat: SCAN_QUERIES, ...point }, 'p50Ms');
    const second = await peer.requestNumber({ do: 'query', repeat: SCAN_QUERIES, ...point }, 'p50Ms');
    const p50Ms = Math.min(first, second);
    reached.push({ leavesToSearch: 0, reorder: 0, ...point, point, recall: Number(share), p50Ms });
  }
  return reached;
}

/** The fastest setting that reaches a recall. */
export function fastest<R extends Reached>(reached: readonly R[], least: number): R | undefined {
  return reached.filter((point) => point.recall >= least).sort((a, b) => a.p50Ms - b.p50Ms)[0];
}

/** The settings that are measured again before one is chosen, and how often. */
const FINALISTS = 4;
const FINALIST_ROUNDS = 3;

/**
 * The fastest setting that reaches a recall. The first few of the scan are measured again in turns, so that one slow moment
 * of the machine during the scan does not decide.
 *
 * @param latencyMs the measurement, which may be of another kind than that of the scan
 * @param count settings that are measured again
 * @param rounds how often, of which the best counts
 */
export async function fastestAgain<R extends Reached>(
  reached: readonly R[],
  least: number,
  latencyMs: (setting: R) => Promise<number>,
  count: number = FINALISTS,
  rounds: number = FINALIST_ROUNDS,
): Promise<R | undefined> {
  const finalists = reached
    .filter((point) => point.recall >= least)
    .sort((a, b) => a.p50Ms - b.p50Ms)
    .slice(0, count)
    .map((setting) => ({ setting, bestMs: Number.POSITIVE_INFINITY }));
  for (let round = 0; round < rounds; round++) {
    for (const finalist of finalists) {
      finalist.bestMs = Math.min(finalist.bestMs, await latencyMs(finalist.setting));
    }
  }
  return finalists.sort((a, b) => a.bestMs - b.bestMs)[0]?.setting;
}

/** A grid of leaves and reorder counts. */
export function gridOf(leaves: readonly number[], reorders: readonly number[]): Point[] {
  return leaves.flatMap((leavesToSearch) => reorders.map((reorder) => ({ leavesToSearch, reorder })));
}
