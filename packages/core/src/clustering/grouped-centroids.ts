/**
 * Nearly nearest centroids of rows in an eighth of the comparisons: k centroids are in √k groups by k-means, and a row is
 * compared with the centroids of its nearest groups only. Indexes of tens of thousands of leaves are built with it.
 *
 * About 99 of 100 rows find their nearest centroid, and the mean squared distance is a thousandth larger
 * (docs/decisions/segments.md). Labels and scores of a row that finds it have the same bits as those of
 * `Centroids.assign`, and results do not depend on the number of threads.
 * Letters: n rows, d dimensions, k centroids, G groups, P nearest groups.
 */
import type { Block } from '../memory/heap.ts';
import { finish } from '../parallel/steps.ts';
import type { Generator as Random } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { multiplyRows } from '../vectors/multiply.ts';
import { unfilledMatrix } from '../vectors/unfilled.ts';
import { Centroids } from './centroids.ts';
import { kMeans } from './k-means.ts';
import { listMembers } from './members.ts';

/**
 * From this many centroids on, groups save time: µs of CPU of a row of 32 dimensions, compared with all centroids and with
 * groups, are 13 and 15 for 10,000 centroids, 25 and 20 for 20,000, 54 and 24 for 40,000.
 */
export const GROUPS_FROM = 16_384;
/** Groups that a row is compared with: of 200 groups .988 of the rows find their nearest centroid, with 16 .965. */
const NEAREST_GROUPS = 24;
/** Iterations of k-means: enough to converge, and cheap, as the points are few. */
const ITERATIONS = 12;

/** Assigns rows to centroids, as `Centroids` and `GroupedCentroids` do. */
export type RowAssigner = Pick<Centroids, 'assign' | 'free'>;

/** The centroids of a group. */
interface Group {
  centroids: Centroids;
  /** The number of each of its centroids, ascending. */
  members: Int32Array;
}

/** Centroids in groups. */
export class GroupedCentroids implements RowAssigner {
  readonly #dimensions: number;
  readonly #nearest: number;
  readonly #groups: Group[] = [];
  /** [d, G padded to 4] the centres of the groups, transposed, and [G] half their squared norms. */
  readonly #centres: Matrix;
  readonly #halfSquares: Float64Array;

  /**
   * @param centroids what rows are assigned to; they are copied
   * @param nearest groups that a row is compared with
   */
  constructor({ matrix, count, runtime }: Centroids, random: Random, nearest: number = NEAREST_GROUPS) {
    const d = matrix.dimensions;
    const centres = trainCentres(matrix, Math.round(Math.sqrt(count)), random);
    const labels = runtime.heap.allocate(4 * count);
    const scores = runtime.heap.allocate(4 * count);
    centres.assign(matrix.offset, count, labels, scores);
    const { begin, order } = listMembers(labels.integers(count), centres.count);
    for (const block of [labels, scores]) block.free();
    const filled = [...begin.keys()].filter((g) => g < centres.count && begin[g + 1]! > begin[g]!);
    this.#dimensions = d;
    this.#nearest = Math.min(nearest, filled.length);
    this.#centres = new Matrix(d, 4 * Math.ceil(filled.length / 4), runtime);
    this.#halfSquares = new Float64Array(filled.length);
    filled.forEach((g, at) => {
      const members = order.slice(begin[g]!, begin[g + 1]!);
      const own = new Centroids(members.length, d, runtime);
      members.forEach((c, i) => {
        own.matrix.row(i).set(matrix.row(c));
      });
      own.pack();
      this.#groups.push({ centroids: own, members });
      const centre = centres.matrix.row(g);
      for (let t = 0; t < d; t++) {
        this.#centres.row(t)[at] = centre[t]!;
        this.#halfSquares[at]! += centre[t]! ** 2 / 2;
      }
    });
    centres.free();
  }

  /** Nearly nearest centroid of rows [n, d] at an offset: labels int32, and ⟨x, c⟩ − |c|²/2 float32. */
  assign(rows: number, n: number, labels: Block, scores: Block): void {
    const { runtime } = this.#centres;
    const d = this.#dimensions;
    const { begin, order } = this.#rowsOfGroups(rows, n);
    const gathered = unfilledMatrix(n, d, runtime);
    const ownLabels = runtime.heap.allocate(4 * n);
    const ownScores = runtime.heap.allocate(4 * n);
    scores.floats(n).fill(Number.NEGATIVE_INFINITY);
    for (const [g, { centroids, members }] of this.#groups.entries()) {
      const list = order.subarray(begin[g]!, begin[g + 1]!);
      if (list.length === 0) continue;
      // Views are taken anew, because a memory that grows may detach them.
      const [from, to] = [runtime.heap.memory.floats, gathered.data];
      for (let i = 0; i < list.length; i++) {
        const at = rows / 4 + list[i]! * d;
        for (let t = 0; t < d; t++) to[i * d + t] = from[at + t]!;
      }
      centroids.assign(gathered.offset, list.length, ownLabels, ownScores);
      const [found, near] = [ownLabels.integers(list.length), ownScores.floats(list.length)];
      const [chosen, best] = [labels.integers(n), scores.floats(n)];
      for (let i = 0; i < list.length; i++) {
        const row = list[i]!;
        const centroid = members[found[i]!]!;
        if (near[i]! < best[row]! || (near[i]! === best[row]! && centroid > chosen[row]!)) continue;
        best[row] = near[i]!;
        chosen[row] = centroid;
      }
    }
    for (const block of [ownLabels, ownScores, gathered]) block.free();
  }

  /** Give the memory back. */
  free(): void {
    for (const { centroids } of this.#groups) centroids.free();
    this.#centres.free();
  }

  /** The rows of each group, from the P nearest groups of each row; of equal groups the first. */
  #rowsOfGroups(rows: number, n: number): { begin: Int32Array; order: Int32Array } {
    const { runtime, dimensions: width, offset: b } = this.#centres;
    const d = this.#dimensions;
    const products = unfilledMatrix(n, width, runtime);
    multiplyRows(runtime, { a: rows, aStride: d, m: n, n: d, b, d: width, c: products.offset });
    const nearest = this.#nearest;
    const groups = new Int32Array(n * nearest);
    const best = new Float64Array(nearest);
    const { data } = products;
    for (let row = 0; row < n; row++) {
      const first = row * nearest;
      let held = 0;
      for (let g = 0; g < this.#halfSquares.length; g++) {
        const score = data[row * width + g]! - this.#halfSquares[g]!;
        if (held === nearest && !(score > best[nearest - 1]!)) continue;
        let at = held < nearest ? held++ : nearest - 1;
        for (; at > 0 && best[at - 1]! < score; at--) {
          best[at] = best[at - 1]!;
          groups[first + at] = groups[first + at - 1]!;
        }
        best[at] = score;
        groups[first + at] = g;
      }
    }
    products.free();
    const { begin, order } = listMembers(groups, this.#groups.length);
    return { begin, order: order.map((pair) => Math.floor(pair / nearest)) };
  }
}

function trainCentres(matrix: Matrix, clusters: number, random: Random): Centroids {
  return finish(
    kMeans(
      matrix,
      {
        clusters,
        iterations: ITERATIONS,
        sampleSize: matrix.rows,
        initialization: 'random',
        minClusterSize: 1,
        isSpherical: false,
        random,
      },
      matrix.runtime,
    ),
  );
}
