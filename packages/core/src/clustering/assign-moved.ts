/**
 * The assignment step of k-means where many centroids no longer move. A row whose own centroid is where it was can only
 * change to one that moved, so it is compared with those alone; all other rows are compared with all centroids. Labels
 * and scores have the same bits as those of a whole assignment.
 *
 * With few rows for each centroid most clusters keep their members after some iterations. A table of n ids whose
 * budget is a share of the full table has k ∝ n centroids, so that a whole assignment grows with n². With 8 rows for
 * each centroid a quarter of the comparisons of 20 iterations remain, with 60 rows nearly all
 * (docs/decisions/clustering-speed.md).
 */
import { Matrix } from '../vectors/matrix.ts';
import { Centroids } from './centroids.ts';
import type { AssignSample } from './k-means.ts';

/** Above this share of the comparisons, a whole assignment takes less time than gathering rows. */
const SHARE_MAX = 0.8;
/** Rows that are gathered at a time. */
const BLOCK_ROWS = 16_384;

/** An assignment step for one run of k-means. */
export function assignMoved(): AssignSample {
  let before: Float32Array | undefined;
  return (centroids, sample, labels, scores) => {
    const { matrix } = centroids;
    const { rows: n, dimensions: d } = sample;
    const moved = before ? movedOf(before, matrix.data, d) : undefined;
    before = matrix.data.slice();
    // Copies, because the memory of views moves when blocks of rows are allocated.
    const [label, score] = [labels.integers(n).slice(), scores.floats(n).slice()];
    if (!moved || shareOf(moved, label) > SHARE_MAX) {
      centroids.assign(sample.offset, n, labels, scores);
      return;
    }
    const numbers = Int32Array.from(moved.keys()).filter((c) => moved[c] === 1);
    const own: number[] = [];
    const others: number[] = [];
    for (let row = 0; row < n; row++) (moved[label[row]!] === 1 ? own : others).push(row);
    assignRows(centroids, sample, own, (row, nearest, near) => {
      label[row] = nearest;
      score[row] = near;
    });
    if (numbers.length > 0) {
      const few = new Centroids(numbers.length, d, sample.runtime);
      numbers.forEach((c, i) => few.matrix.row(i).set(matrix.row(c)));
      few.pack();
      assignRows(few, sample, others, (row, nearest, near) => {
        const c = numbers[nearest]!;
        if (near < score[row]! || (near === score[row] && c > label[row]!)) return;
        label[row] = c;
        score[row] = near;
      });
      few.free();
    }
    labels.integers(n).set(label);
    scores.floats(n).set(score);
  };
}

/** For each centroid 1 if one of its numbers changed. */
function movedOf(before: Float32Array, after: Float32Array, d: number): Uint8Array {
  const moved = new Uint8Array(after.length / d);
  for (let i = 0; i < after.length; i++) if (before[i] !== after[i]) moved[Math.floor(i / d)] = 1;
  return moved;
}

/** The comparisons that are needed, as a share of all. */
function shareOf(moved: Uint8Array, labels: Int32Array): number {
  const share = moved.reduce((sum, each) => sum + each, 0) / moved.length;
  let rows = 0;
  for (const label of labels) rows += moved[label]!;
  const own = rows / labels.length;
  return own + (1 - own) * share;
}

/** The nearest of some centroids, and its score, for some rows of the sample. */
function assignRows(
  centroids: Centroids,
  sample: Matrix,
  rows: readonly number[],
  take: (row: number, nearest: number, score: number) => void,
): void {
  const { heap } = sample.runtime;
  const size = Math.min(BLOCK_ROWS, rows.length);
  if (size === 0) return;
  const block = new Matrix(size, sample.dimensions, sample.runtime);
  const [labels, scores] = [heap.allocate(4 * size), heap.allocate(4 * size)];
  for (let first = 0; first < rows.length; first += size) {
    const length = Math.min(size, rows.length - first);
    for (let i = 0; i < length; i++) block.row(i).set(sample.row(rows[first + i]!));
    centroids.assign(block.offset, length, labels, scores);
    const [nearest, near] = [labels.integers(length), scores.floats(length)];
    for (let i = 0; i < length; i++) take(rows[first + i]!, nearest[i]!, near[i]!);
  }
  for (const each of [block, labels, scores]) each.free();
}
