/** The assignment of a piece of rows to leaves, in builds that do not have all rows in memory. */
import { Centroids } from '../../../clustering/centroids.ts';
import { GROUPS_FROM, GroupedCentroids, type RowAssigner } from '../../../clustering/grouped-centroids.ts';
import { squaredNorm } from '../../../clustering/int16-panels.ts';
import { normalize } from '../../../clustering/k-means.ts';
import type { Block } from '../../../memory/heap.ts';
import { Generator as Random } from '../../../random/generator.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { codedRows } from '../build/coded-rows.ts';
import { codedDimensions, type Leaves } from '../leaves.ts';
import type { ScannSettings } from '../settings.ts';

/** The assignment of first leaves, and of second ones where candidates have them. */
export interface Assigners {
  centroids: RowAssigner;
  second: { centroids: Centroids; lambda: number } | undefined;
}

/** The leaves of the rows of a piece; the arrays are valid until the function that gets them returns. */
export interface AssignedPiece {
  /** The rows as they are scored: scaled to length 1 for cosine. */
  rows: Matrix;
  /** [n] the first leaf of each row. */
  leaves: Int32Array;
  /** [n] the second leaf, which may be the first; undefined where candidates have one leaf. */
  seconds: Int32Array | undefined;
  /** [n] the squared distance of each row, as it is coded, from the centroid of its first leaf. */
  distances: Float64Array;
}

/**
 * The centroids of the head for the assignment of all candidates; many of them in groups, unless candidates have second leaves,
 * which are found among all centroids.
 */
export function assignersOf(head: Leaves, { seed, soar }: ScannSettings): Assigners {
  const { leaves, copies } = head.shape;
  const dimensions = codedDimensions(head.shape);
  const centroids = new Centroids(leaves, dimensions, head.runtime);
  centroids.matrix.data.set(head.floats('centroids').subarray(0, leaves * dimensions));
  centroids.pack();
  if (copies > 1) return { centroids, second: { centroids, lambda: Number(soar) } };
  if (leaves < GROUPS_FROM) return { centroids, second: undefined };
  const grouped = new GroupedCentroids(centroids, new Random(seed).fork('groups'));
  centroids.free();
  return { centroids: grouped, second: undefined };
}

/** Scale the rows of a piece to length 1 where `isUnitLength`, and assign them. The piece is changed. */
export function assignPiece(
  piece: Matrix,
  head: Leaves,
  { centroids, second }: Assigners,
  isUnitLength: boolean,
  use: (assigned: AssignedPiece) => void,
): void {
  const { dimensions: d, runtime, rows: n } = piece;
  if (isUnitLength) normalize(piece.data, d);
  const coded = codedRows(head, piece);
  const [labels, scores, seconds] = [0, 1, 2].map(() => runtime.heap.allocate(4 * n)) as [Block, Block, Block];
  try {
    centroids.assign(coded.offset, n, labels, scores);
    second?.centroids.assignSecond(coded.offset, n, labels, second.lambda, seconds);
    use({
      rows: piece,
      leaves: labels.integers(n),
      seconds: second && seconds.integers(n),
      distances: distancesOf(coded, scores.floats(n)),
    });
  } finally {
    if (coded !== piece) coded.free();
    for (const block of [labels, scores, seconds]) block.free();
  }
}

/** |x − c|² = |x|² − 2 (⟨x, c⟩ − |c|²/2), where the scores are what is in parentheses. */
function distancesOf({ data, rows, dimensions: d }: Matrix, scores: Float32Array): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => Math.max(0, squaredNorm(data, i * d, d) - 2 * scores[i]!));
}
