/**
 * Nearly nearest centroids of rows in an eighth of the comparisons: k centroids are in √k groups by k-means, and a row is
 * compared with the centroids of its nearest groups only. Indexes of tens of thousands of leaves are built with it.
 *
 * About 99 of 100 rows find their nearest centroid, and the mean squared distance is a thousandth larger
 * (docs/decisions/segments.md). Labels and scores of a row that finds it have the same bits as those of
 * `Centroids.assign`, and results do not depend on the number of threads.
 * Letters: n rows, d dimensions, k centroids, G groups, P nearest groups.
 */
import { groupedScratchBytes, nearestGroupsScratchBytes } from '../kernels/families/groups.ts';
import type { Block } from '../memory/heap.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { finish } from '../parallel/steps.ts';
import { Generator as Random } from '../random/generator.ts';
import type { Matrix } from '../vectors/matrix.ts';
import { Centroids } from './centroids.ts';
import { type AssignRows, kMeans } from './k-means.ts';
import { copyOf, listMembers, type Members, membersOf } from './members.ts';

/**
 * From this many centroids on, groups take about half the time: µs of a row of 32 dimensions on one thread, compared with all
 * centroids and with groups, are 12 and 10 for 8,192 centroids, 21 and 13 for 16,384, 52 and 15 for 40,000.
 */
export const GROUPS_FROM = 16_384;
/** Groups that a row is compared with: of 200 groups .988 of the rows find their nearest centroid, with 16 .965. */
const NEAREST_GROUPS = 24;
/** Groups that a row is compared with while centroids still move: with 12 of 400 groups .9 of the rows find their nearest centroid. */
const NEAREST_GROUPS_IN_TRAINING = 12;
/** Any seed: groups need not differ between builds. */
const SEED = 1;
/** Iterations of k-means: enough to converge, and cheap, as the points are few. */
const ITERATIONS = 12;
/** Rows that are assigned at a time: the panels of a group are then read for some hundred rows each. */
const PIECE_ROWS = 16_384;
/** Blocks of 4 rows that a thread claims at a time. */
const GRAIN = 16;
/** Centroids in a panel of the kernels. */
const PANEL = 8;

/** Assigns rows to centroids, as `Centroids` and `GroupedCentroids` do. */
export type RowAssigner = Pick<Centroids, 'assign' | 'free'>;

/** Bytes of `count` centroids in groups, while rows are assigned. */
export function groupedBytes(count: number, dimensions: number, threads: number): number {
  const groups = Math.round(Math.sqrt(count));
  const places = count + PANEL * groups;
  // Float32 twice, int16, half squares; numbers of pairs, places and scores; the scratch of the kernels.
  const centroids = places * (10 * dimensions + 4) + 10 * groups * dimensions;
  const scratch = groupedScratchBytes(Math.ceil(places / PANEL / Math.sqrt(groups)), dimensions);
  return centroids + 16 * PIECE_ROWS * NEAREST_GROUPS + scratch * threads;
}

/** The assignment step of k-means, and of its rows afterwards, for many centroids. */
export const assignGrouped: AssignRows<Pick<Matrix, 'offset' | 'rows'>> = (centroids, rows, labels, scores, first) => {
  const random = new Random(SEED).fork('groups');
  const grouped = new GroupedCentroids(centroids, random, NEAREST_GROUPS_IN_TRAINING);
  grouped.assign(rows.offset, rows.rows, labels, scores, first);
  grouped.free();
};

/** Centroids in groups. */
export class GroupedCentroids implements RowAssigner {
  readonly #nearest: number;
  /** The centroids group after group, each group in panels of its own. */
  readonly #packed: Centroids;
  /** The number of the centroid at each place of the panels. */
  readonly #numbers: Int32Array;
  /** [G + 1] int32, and the panels of the largest group. */
  readonly #panelBegin: Block;
  readonly #panelsMax: number;
  /** The centres of the groups. */
  readonly #centres: Centroids;

  /**
   * @param centroids what rows are assigned to; they are copied
   * @param nearest groups that a row is compared with
   */
  constructor({ matrix, count, runtime }: Centroids, random: Random, nearest: number = NEAREST_GROUPS) {
    const d = matrix.dimensions;
    const centres = trainCentres(matrix, Math.round(Math.sqrt(count)), random);
    const { begin, order } = membersOf(centres, matrix);
    const filled = [...begin.keys()].filter((g) => g < centres.count && begin[g + 1]! > begin[g]!);
    const panels = filled.map((g) => Math.ceil((begin[g + 1]! - begin[g]!) / PANEL));
    const all = panels.reduce((sum, each) => sum + each, 0);
    this.#nearest = Math.min(nearest, filled.length);
    this.#panelsMax = Math.max(...panels);
    this.#panelBegin = runtime.heap.allocate(4 * (filled.length + 1));
    // From four panels on, centroids have the form of int16 that the kernel reads.
    this.#packed = new Centroids(PANEL * Math.max(all, 4), d, runtime);
    this.#numbers = new Int32Array(PANEL * all).fill(-1);
    this.#centres = new Centroids(filled.length, d, runtime);
    let panel = 0;
    filled.forEach((g, at) => {
      this.#numbers.set(order.subarray(begin[g]!, begin[g + 1]!), PANEL * panel);
      panel += panels[at]!;
      this.#panelBegin.integers(filled.length + 1)[at + 1] = panel;
      this.#centres.matrix.row(at).set(centres.matrix.row(g));
    });
    centres.free();
    this.#centres.pack();
    this.#pack(matrix);
  }

  /** Nearly nearest centroid of rows [n, d] at an offset, from item `first` of labels and scores on; see `Centroids`. */
  assign(rows: number, n: number, labels: Block, scores: Block, first = 0): void {
    const rowBytes = 4 * this.#packed.matrix.dimensions;
    for (let begin = 0; begin < n; begin += PIECE_ROWS) {
      const count = Math.min(PIECE_ROWS, n - begin);
      this.#assignPiece(rows + begin * rowBytes, count, labels, scores, first + begin);
    }
  }

  /** Give the memory back. */
  free(): void {
    this.#packed.free();
    this.#panelBegin.free();
    this.#centres.free();
  }

  /** Copy the centroids to their places. Places without a centroid are infinitely far from every row. */
  #pack(from: Matrix): void {
    const { matrix, halfSquares } = this.#packed;
    this.#numbers.forEach((centroid, place) => {
      if (centroid >= 0) matrix.row(place).set(from.row(centroid));
    });
    this.#packed.pack();
    const halves = halfSquares.data;
    for (let place = 0; place < matrix.rows; place++) {
      if (!(this.#numbers[place]! >= 0)) halves[place] = Number.POSITIVE_INFINITY;
    }
  }

  #assignPiece(rows: number, n: number, labels: Block, scores: Block, first: number): void {
    const { runtime } = this.#packed;
    const P = this.#nearest;
    const members = listMembers(this.#nearestGroups(rows, n), this.#centres.count);
    const [places, near] = [runtime.heap.allocateUnfilled(4 * n * P), runtime.heap.allocateUnfilled(4 * n * P)];
    this.#compare(rows, members, places, near);
    const [place, score] = [places.integers(n * P), near.floats(n * P)];
    const [chosen, best] = [labels.integers(first + n), scores.floats(first + n)];
    const numbers = this.#numbers;
    for (let row = 0, pair = 0; row < n; row++) {
      let [label, most] = [numbers[place[pair]!]!, score[pair++]!];
      for (let i = 1; i < P; i++, pair++) {
        const centroid = numbers[place[pair]!]!;
        if (score[pair]! < most || (score[pair] === most && centroid > label)) continue;
        label = centroid;
        most = score[pair]!;
      }
      chosen[first + row] = label;
      best[first + row] = most;
    }
    for (const block of [places, near]) block.free();
  }

  /** The nearest centroid of each pair of a row and a group. */
  #compare(rows: number, { begin, order }: Members, places: Block, scores: Block): void {
    const { runtime, matrix } = this.#packed;
    const scratchStride = groupedScratchBytes(this.#panelsMax, matrix.dimensions);
    const scratch = runtime.heap.allocateUnfilled(scratchStride * runtime.pool.threads);
    const [pairBegin, pairs] = [copyOf(begin, runtime.heap), copyOf(order, runtime.heap)];
    modelPool(runtime).run('assignGrouped', begin.length - 1, 1, {
      rows,
      d: matrix.dimensions,
      groupsPerRow: this.#nearest,
      pairBegin: pairBegin.offset,
      pairs: pairs.offset,
      panelBegin: this.#panelBegin.offset,
      ...this.#packed.packedPanels(),
      places: places.offset,
      scores: scores.offset,
      scratch: scratch.offset,
      scratchStride,
    });
    for (const block of [scratch, pairBegin, pairs]) block.free();
  }

  /** [n, P] the P nearest groups of each row, in no order. */
  #nearestGroups(rows: number, n: number): Int32Array {
    const { runtime, matrix, count: groups } = this.#centres;
    const { packed, halfSquares } = this.#centres.packedPanels();
    const nearest = this.#nearest;
    const scratchStride = nearestGroupsScratchBytes(groups, nearest);
    const scratch = runtime.heap.allocateUnfilled(scratchStride * runtime.pool.threads);
    const chosen = runtime.heap.allocateUnfilled(4 * n * nearest);
    modelPool(runtime).run('nearestGroups', Math.ceil(n / 4), GRAIN, {
      rows,
      n,
      d: matrix.dimensions,
      packed,
      halfSquares,
      groups,
      nearest,
      chosen: chosen.offset,
      scratch: scratch.offset,
      scratchStride,
    });
    const groupsOfRows = chosen.integers(n * nearest).slice();
    for (const block of [scratch, chosen]) block.free();
    return groupsOfRows;
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
