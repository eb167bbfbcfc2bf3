/** Writes what a ScaNN search found for a query, readable (packages/core/assembly/scann-phases.ts). */
import { byScore, type ScannSearchCall, type Scored } from './scann-call.ts';

/** Write the k best of keys (score, slot) as scores and rows; each row is written only once. */
export function writeResults(
  { memory, index, call, integer }: ScannSearchCall,
  item: number,
  keys: readonly Scored[],
): void {
  const { results: k, scoresOut, rowsOut, countsOut } = call;
  const wanted = keys.toSorted((a, b) => b.score - a.score)[Math.min(k * index.copies, keys.length) - 1]?.score ?? 0;
  const best = keys
    .filter(({ score }) => score >= wanted)
    .map(({ score, row }) => ({ score, row: integer(index.rowOf, row) }))
    .sort(byScore);
  const distinct = best.filter(({ row }, at) => best.findIndex((other) => other.row === row) === at).slice(0, k);
  distinct.forEach(({ score, row }, at) => {
    memory.floats[scoresOut / 4 + item * k + at] = score;
    memory.integers[rowsOut / 4 + item * k + at] = row;
  });
  memory.integers[countsOut / 4 + item] = distinct.length;
}

/** Centroids, leaves, codes and reordered candidates of a query. */
export function writeWork({ memory, call }: ScannSearchCall, item: number, work: readonly number[]): void {
  if (call.countersOut) memory.integers.set(work, call.countersOut / 4 + 4 * item);
}
