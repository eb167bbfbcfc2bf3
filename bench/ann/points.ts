/** Operating points: for a recall, the fastest setting of ours and of each peer among a grid, both by the same rule. */
import { ScaNN, type ScannOptions } from 'shortlist';
import { measured } from '../harness/interleave.ts';
import { figureOf, type Peer } from '../harness/peer.ts';
import { recall, type VectorSet } from './sets.ts';

/** Leaves searched and rows reordered. */
export interface Point {
  leavesToSearch: number;
  reorder: number;
}

/** A point with what it reached. */
export interface Reached extends Point {
  recall: number;
  p50Ms: number;
}

/** Queries timed when a grid is scanned, and in a round that counts. */
const SCAN_QUERIES = 1000;

/** Our index over a set. */
export function buildOurs(
  set: VectorSet,
  options: ScannOptions<Float32Array>,
): { index: ScaNN<Float32Array, number>; seconds: number } {
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

/** Median milliseconds of single queries. */
export function ourP50Ms(
  index: ScaNN<Float32Array, number>,
  set: VectorSet,
  point: Point,
  repeat: number = SCAN_QUERIES,
): number {
  const options = { k: 10, leavesToSearch: point.leavesToSearch, reorder: point.reorder };
  const times = Float64Array.from({ length: repeat }, (_, i) => {
    const query = queryOf(set, i);
    const start = performance.now();
    index.call(query, options);
    return performance.now() - start;
  });
  return measured([...times]).median;
}

/** Our recall at a point. */
export function ourRecall(index: ScaNN<Float32Array, number>, set: VectorSet, point: Point): number {
  return recall(set.truth, (i) => index.call(queryOf(set, i), { k: 10, ...point }).rowsOf());
}

/** Every point of a grid as we reach it. */
export function scanOurs(index: ScaNN<Float32Array, number>, set: VectorSet, grid: readonly Point[]): Reached[] {
  return grid.map((point) => ({ ...point, recall: ourRecall(index, set, point), p50Ms: ourP50Ms(index, set, point) }));
}

/** Every point of a grid as a peer reaches it. */
export async function scanPeer(peer: Peer, grid: readonly object[]): Promise<(Reached & { point: object })[]> {
  const reached = [];
  for (const point of grid) {
    const { recall: share } = await peer.ask({ do: 'batch', ...point });
    const p50Ms = figureOf(await peer.ask({ do: 'query', repeat: SCAN_QUERIES, ...point }), 'p50Ms');
    reached.push({ leavesToSearch: 0, reorder: 0, ...point, point, recall: Number(share), p50Ms });
  }
  return reached;
}

/** The fastest point that reaches a recall. */
export function fastest<R extends Reached>(reached: readonly R[], least: number): R | undefined {
  return reached.filter((point) => point.recall >= least).sort((a, b) => a.p50Ms - b.p50Ms)[0];
}

/** A grid of leaves and reorder counts. */
export function gridOf(leaves: readonly number[], reorders: readonly number[]): Point[] {
  return leaves.flatMap((leavesToSearch) => reorders.map((reorder) => ({ leavesToSearch, reorder })));
}
