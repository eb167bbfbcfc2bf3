/**
 * The first phase of a ScaNN search, readable (packages/core/assembly/scann.ts, scann-query.ts, centroids.ts): prepares the
 * query (mean, rotation) and chooses the leaves to search.
 */
import { byScore, isPruned, nearest, norm, type ScannSearchCall, type Scored } from './scann-call.ts';

const PANEL = 16;
const { fround } = Math;

/** The first d dimensions of the query at an offset, minus the mean if there is one, and rotated if there is a rotation. */
export function transformQuery(search: ScannSearchCall, query: number): Float32Array {
  const { memory, index, float } = search;
  const { codedStride: stride, dimensions: d, mean, rotation, rotationUnscale: unscale } = index;
  const values = memory.floats.slice(query / 4, query / 4 + stride).fill(0, d);
  for (let t = 0; mean && t < d; t++) values[t]! -= float(mean, t);
  if (!rotation) return values;
  const panels = Array.from({ length: Math.ceil(d / PANEL) }, (_, panel) => panel);
  const rotated = scoreCentroids(search, values, { centroids: rotation, unscale, addend: 0 }, panels);
  return values.map((_, s) => rotated[s]?.score ?? 0);
}

/**
 * The leaves to search (best first if groups are skipped, else in the order of memory), and the number of centroids
 * scored.
 */
export function chooseLeaves(search: ScannSearchCall, query: Float32Array): { leaves: Scored[]; centroids: number } {
  const { index, call } = search;
  const { centroids, centroidUnscale: unscale, leafAddend: addend } = index;
  const all = scoreCentroids(search, query, { centroids, unscale, addend }, leafPanels(search, query));
  const leaves = best(all, call.leavesToSearch);
  if (!isPruned(search)) leaves.sort((a, b) => a.row - b.row);
  return { leaves, centroids: all.length };
}

/** Panels of leaves whose centroids are scored: all, or those that the best groups of the upper tree touch. */
function leafPanels(search: ScannSearchCall, query: Float32Array): number[] {
  const { index, call, integer } = search;
  if (call.upperToOpen === 0) return Array.from({ length: index.leafPanels }, (_, p) => p);
  const upper = Array.from({ length: index.upperPanels }, (_, p) => p);
  const { upperCentroids: centroids, upperUnscale: unscale, upperAddend: addend, upperLeaves: ranges } = index;
  const groups = best(scoreCentroids(search, query, { centroids, unscale, addend }, upper), call.upperToOpen);
  const opened = new Set<number>();
  for (const { row } of groups) {
    const first = integer(ranges, row);
    for (let leaf = first - (first % PANEL); leaf < integer(ranges, row + 1); leaf += PANEL) opened.add(leaf / PANEL);
  }
  return [...opened].sort((a, b) => a - b);
}

/** The `count` best; lanes past the last centroid have −∞. */
function best(scored: readonly Scored[], count: number): Scored[] {
  return scored
    .filter(({ score }) => score > Number.NEGATIVE_INFINITY)
    .sort(byScore)
    .slice(0, count);
}

/** Scores of int16 centroids of panels: unscale · ⟨c16, q16⟩ + addend (0: none); with addends −∞ past the last. */
function scoreCentroids(
  { memory, index, float }: ScannSearchCall,
  query: Float32Array,
  { centroids, unscale, addend }: { centroids: number; unscale: number; addend: number },
  panels: readonly number[],
): Scored[] {
  const { pairs, dimensions: d } = index;
  const length = norm(query.subarray(0, d));
  const scale = length > 0 ? fround(32_000 / length) : 0;
  const factor = fround(fround(unscale) * (length > 0 ? fround(length / 32_000) : 0));
  const int16 = new Int16Array(memory.memory.buffer);
  return panels.flatMap((panel) =>
    Array.from({ length: PANEL }, (_, lane) => {
      let sum = 0;
      for (let t = 0; t < d; t++) {
        const c = int16[centroids / 2 + ((panel * pairs + (t >> 1)) * PANEL + lane) * 2 + (t & 1)]!;
        sum += c * nearest(fround(query[t]! * scale));
      }
      const row = panel * PANEL + lane;
      return { row, score: fround(fround(fround(sum) * factor) + (addend ? float(addend, row) : 0)) };
    }),
  );
}
