/** The top-k oracle: score every row in float32, in the order of the dimensions, and sort. */
import { Generator } from '../../src/random/generator.ts';

/** Rows × dimensions of normal numbers in float32, from a seed. */
export function normalRows(rows: number, dimensions: number, seed: number, label = 'rows'): Float32Array[] {
  const generator = new Generator(seed).fork(label);
  return Array.from({ length: rows }, () => Float32Array.from({ length: dimensions }, () => generator.normal()));
}

/** One flat array of rows. */
export function flat(rows: readonly ArrayLike<number>[]): { data: Float32Array; dimensions: number } {
  const dimensions = rows[0]?.length ?? 1;
  const data = new Float32Array(rows.length * dimensions);
  rows.forEach((row, i) => {
    data.set(row, i * dimensions);
  });
  return { data, dimensions };
}

/** ⟨a, b⟩ summed in float32, dimension by dimension. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let t = 0; t < a.length; t++) sum = Math.fround(sum + Math.fround(Math.fround(a[t]!) * Math.fround(b[t]!)));
  return sum;
}

/** The k best allowed rows: score descending, ties by row ascending, NaN never. */
export function bestRows(
  query: ArrayLike<number>,
  candidates: readonly ArrayLike<number>[],
  k: number,
  allowed: (row: number) => boolean = () => true,
): { row: number; score: number }[] {
  return candidates
    .map((candidate, row) => ({ row, score: dot(query, candidate) }))
    .filter(({ row, score }) => allowed(row) && !Number.isNaN(score))
    .sort((a, b) => (a.score === b.score ? a.row - b.row : b.score > a.score ? 1 : -1))
    .slice(0, k);
}
