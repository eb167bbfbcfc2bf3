/**
 * k-means++ in rounds: each round draws as many starts as there are already, up to an eighth of all, with probability
 * ∝ the squared distance from those of earlier rounds (Arthur and Vassilvitskii 2007; rounds after k-means||, Bahmani et
 * al. 2012). A round compares its starts with all rows at once, so the whole costs no more than one iteration.
 */
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator as Random } from '../random/generator.ts';
import type { Matrix } from '../vectors/matrix.ts';
import { Centroids } from './centroids.ts';

/** Rows compared per start: enough to choose well, and few enough that all rounds cost less than an iteration. */
const ROWS_PER_START = 8;
/** A round draws at most 1/8 of the starts, because the starts of one round do not take each other into account. */
const ROUND_SHARE = 8;
/** A squared distance below this share of |x|² is rounding error and counts as 0. */
const ROUNDING = 1e-6;

/** Choose rows of `sample`, which is in random order, as starts: one for each row of `starts`. */
export function seedPlusPlus(sample: Matrix, starts: Matrix, random: Random, runtime: Runtime): void {
  const { heap } = runtime;
  const { rows: clusters, dimensions: d } = starts;
  const rows = Math.min(sample.rows, ROWS_PER_START * clusters);
  const labels = heap.allocate(4 * rows);
  const scores = heap.allocate(4 * rows);
  const squares = new Float64Array(rows);
  for (let i = 0; i < rows; i++) squares[i] = sample.row(i).reduce((sum, value) => sum + value * value, 0);
  const distances = new Float64Array(rows).fill(1);
  const sums = new Float64Array(rows);
  const isChosen = new Uint8Array(rows);
  for (let chosen = 0; chosen < clusters; ) {
    const most = Math.max(1, Math.floor(clusters / ROUND_SHARE));
    const wanted = Math.min(Math.max(1, chosen), most, clusters - chosen);
    const drawn = draw(distances, isChosen, sums, wanted, random);
    const round = new Centroids(drawn.length, d, runtime);
    drawn.forEach((row, i) => {
      isChosen[row] = 1;
      round.matrix.row(i).set(sample.row(row));
      starts.row(chosen + i).set(sample.row(row));
    });
    round.pack();
    round.assign(sample.offset, rows, labels, scores);
    const near = scores.floats(rows);
    for (let i = 0; i < rows; i++) {
      const distance = squares[i]! - 2 * near[i]!;
      const known = chosen === 0 ? Number.POSITIVE_INFINITY : distances[i]!;
      distances[i] = isChosen[i] || distance <= ROUNDING * squares[i]! ? 0 : Math.min(known, distance);
    }
    round.free();
    chosen += drawn.length;
  }
  labels.free();
  scores.free();
}

/**
 * Draw up to `wanted` different rows, at least one, by weight; if all weights are 0, take the first rows not chosen
 * yet.
 */
function draw(
  weights: Float64Array,
  isChosen: Uint8Array,
  sums: Float64Array,
  wanted: number,
  random: Random,
): number[] {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!;
    sums[i] = sum;
  }
  const drawn = new Set<number>();
  for (let tries = 0; sum > 0 && tries < wanted; tries++) {
    const mark = random.uniform() * sum;
    let low = 0;
    let high = weights.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > mark) high = middle;
      else low = middle + 1;
    }
    drawn.add(low);
  }
  for (let row = 0; sum === 0 && drawn.size < wanted; row++) if (!isChosen[row]) drawn.add(row);
  return [...drawn];
}
