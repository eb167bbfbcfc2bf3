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
      const { floats } = runtime.heap.memory;
      for (let i = 0; i < list.length; i++) {
        const from = rows / 4 + list[i]! * d;
        floats.copyWithin(gathered.offset / 4 + i * d, from, from + d);
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
    const groups = nearestGroups(products, n, this.#halfSquares, this.#nearest);
    products.free();
    const { begin, order } = listMembers(groups, this.#groups.length);
    return { begin, order: order.map((pair) => Math.floor(pair / this.#nearest)) };
  }
}

/**
 * The P groups with the largest ⟨x, centre⟩ − |centre|²/2 of each row in no order, of equal groups the first.
 *
 * The chosen groups are a binary heap with the worst at its root: of 200 groups some 50 are chosen and 26 of them replaced,
 * and a sorted list moves a dozen numbers for each.
 */
function nearestGroups(products: Matrix, n: number, halfSquares: Float64Array, nearest: number): Int32Array {
  const { data, dimensions: width } = products;
  const count = halfSquares.length;
  const groups = new Int32Array(n * nearest);
  const heap = new Int32Array(nearest);
  const best = new Float64Array(nearest);
  for (let row = 0; row < n; row++) {
    const from = row * width;
    for (let i = 0; i < nearest; i++) {
      const score = data[from + i]! - halfSquares[i]!;
      let at = i;
      for (; at > 0 && score <= best[(at - 1) >> 1]!; at = (at - 1) >> 1) {
        best[at] = best[(at - 1) >> 1]!;
        heap[at] = heap[(at - 1) >> 1]!;
      }
      best[at] = score;
      heap[at] = i;
    }
    for (let g = nearest; g < count; g++) {
      const score = data[from + g]! - halfSquares[g]!;
      if (score > best[0]!) replaceWorst(best, heap, score, g);
    }
    groups.set(heap, row * nearest);
  }
  return groups;
}

/** Put a group in place of the worst of a heap: that with the least score, of equal ones the last. */
function replaceWorst(best: Float64Array, heap: Int32Array, score: number, group: number): void {
  const { length } = heap;
  let at = 0;
  for (let child = 1; child < length; child = 2 * at + 1) {
    const other = child + 1;
    if (other < length && (best[other]! < best[child]! || (best[other] === best[child] && heap[other]! > heap[child]!)))
      child = other;
    if (!(best[child]! <= score)) break;
    best[at] = best[child]!;
    heap[at] = heap[child]!;
    at = child;
  }
  best[at] = score;
  heap[at] = group;
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
