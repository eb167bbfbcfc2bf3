/**
 * Nearly nearest centroids of rows: a row starts at the nearest of the centroids that are listed for its group, and
 * goes from its centroid to the nearest of the centroids around it, until none is nearer. In k-means a row starts from
 * its centroid of the iteration before, which is one such step.
 *
 * So an iteration of k-means compares a row with 12·d centroids and not with all k, and the assignment of other rows with
 * about (8 + 2·d)·√k. The mean squared distance is at most a hundredth larger (docs/decisions/clustering-speed.md).
 * Labels and scores do not depend on the number of threads; those of a row that finds its nearest centroid have the
 * bits of `Centroids.assign`. Letters: n rows, d dimensions, k centroids.
 */
import { listedScratchBytes } from '../kernels/families/neighbours.ts';
import type { Block } from '../memory/heap.ts';
import { modelPool } from '../parallel/model-pool.ts';
import type { Generator as Random } from '../random/generator.ts';
import type { Matrix } from '../vectors/matrix.ts';
import type { Centroids } from './centroids.ts';
import { copyOf, listMembers, type Members } from './members.ts';
import { comparisonsOf, type Lists, longest, NeighbourLists } from './neighbour-lists.ts';

/**
 * From this many centroids on, and this many for each dimension, k-means takes less time with lists; with fewer it has
 * the bits of whole assignments. With 1,024 centroids of 8 dimensions it takes .6 of the time, with 2,344 of 16 the same.
 */
const CENTROIDS_FROM = 1024;
const CENTROIDS_PER_DIMENSION = 128;
/**
 * With fewer rows for each centroid, most centroids soon stay where they are, and `assignMoved` takes less time with up to
 * this many centroids for each dimension: with 8 rows .7 of the time with 4,096 centroids of 8 dimensions, the same with 8,192.
 */
const ROWS_FROM = 16;
const CENTROIDS_PER_DIMENSION_OF_FEW_ROWS = 1024;
/** With 16 dimensions without any structure the distances are .8 % larger, with 32 they are 1.3 % larger. */
const DIMENSIONS_MAX = 16;
/** Steps of a row at most. One is needed by nearly all rows, and a limit bounds the time. */
const STEPS_MAX = 8;
/** Lists that a thread claims at a time. */
const GRAIN_LISTS = 8;
/** The lists are made anew in the first iterations of k-means, and then in every fourth. */
const UPDATES_FIRST = 4;
const UPDATE_EVERY = 4;

/** True if k-means of `rows` rows with `count` centroids should use lists. */
export function usesNeighbours(rows: number, count: number, dimensions: number): boolean {
  if (dimensions > DIMENSIONS_MAX) return false;
  if (rows < ROWS_FROM * count) return count >= CENTROIDS_PER_DIMENSION_OF_FEW_ROWS * dimensions;
  return count >= Math.max(CENTROIDS_FROM, CENTROIDS_PER_DIMENSION * dimensions);
}

/** Centroids with lists of the centroids around each. */
export class NearCentroids {
  readonly #centroids: Centroids;
  readonly #lists: NeighbourLists;
  #comparisons = 0;
  #iterations = 0;

  /** @param centroids what rows are assigned to; the caller packs and frees them */
  constructor(centroids: Centroids, random: Random) {
    this.#centroids = centroids;
    this.#lists = new NeighbourLists(centroids, random);
  }

  /** Pairs of vectors that were compared so far: a work counter for tests. */
  get comparisons(): number {
    return this.#comparisons + this.#lists.comparisons;
  }

  /** Take in that the centroids have moved and were packed. */
  update(): void {
    this.#lists.update();
  }

  /** The assignment step of k-means: in the first iteration `assign`, then one step from the labels of the last one. */
  assignSample(sample: Matrix, labels: Block, scores: Block): void {
    const { offset, rows: n } = sample;
    const iteration = this.#iterations++;
    if (iteration === 0) {
      this.assign(offset, n, labels, scores);
      return;
    }
    if (iteration < UPDATES_FIRST || iteration % UPDATE_EVERY === 0) this.update();
    const members = listMembers(labels.integers(n), this.#centroids.count);
    this.#compare(offset, labels, scores, members, this.#lists.nearest);
  }

  /** Nearly nearest centroid of rows [n, d] at an offset: labels int32, and ⟨x, c⟩ − |c|²/2 float32. */
  assign(rows: number, n: number, labels: Block, scores: Block): void {
    const { groups, nearGroup, nearest } = this.#lists;
    const { count } = this.#centroids;
    if (!groups || !nearGroup) {
      this.#comparisons += n * count;
      this.#centroids.assign(rows, n, labels, scores);
      return;
    }
    this.#comparisons += n * groups.count;
    groups.assign(rows, n, labels, scores);
    this.#compare(rows, labels, scores, listMembers(labels.integers(n), groups.count), nearGroup);
    let moving = Int32Array.from({ length: n }, (_, row) => row);
    for (let step = 0; step < STEPS_MAX && moving.length > 0; step++) {
      const current = labels.integers(n);
      const before = Int32Array.from(moving, (row) => current[row]!);
      const { begin, order } = listMembers(before, count);
      const rowsMoving = moving;
      this.#compare(rows, labels, scores, { begin, order: order.map((i) => rowsMoving[i]!) }, nearest);
      const after = labels.integers(n);
      moving = moving.filter((row, i) => after[row] !== before[i]);
    }
  }

  /** Give the memory back. */
  free(): void {
    this.#lists.free();
  }

  /** Compare the rows of each list with its centroids. */
  #compare(rows: number, labels: Block, scores: Block, members: Members, lists: Lists): void {
    const { matrix, halfSquares, runtime } = this.#centroids;
    const { heap } = runtime;
    const d = matrix.dimensions;
    const listMax = longest(lists);
    const scratchStride = listedScratchBytes(listMax, d);
    const scratch = heap.allocateUnfilled(scratchStride * runtime.pool.threads);
    const rowBegin = copyOf(members.begin, heap);
    const order = copyOf(members.order, heap);
    const listBegin = copyOf(lists.begin, heap);
    modelPool(runtime).run('assignListed', members.begin.length - 1, GRAIN_LISTS, {
      rows,
      d,
      rowBegin: rowBegin.offset,
      order: order.offset,
      listBegin: listBegin.offset,
      listed: lists.numbers.offset,
      centroids: matrix.offset,
      halfSquares: halfSquares.offset,
      labels: labels.offset,
      scores: scores.offset,
      scratch: scratch.offset,
      scratchStride,
      listMax,
    });
    for (const block of [scratch, rowBegin, order, listBegin]) block.free();
    this.#comparisons += comparisonsOf(members, lists);
  }
}
