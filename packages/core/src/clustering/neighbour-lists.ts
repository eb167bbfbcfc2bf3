/**
 * The nearest centroids of each centroid, and of each group of centroids a list to start from, with fewer comparisons
 * than of all pairs: k centroids are in 8·√k groups by k-means, and a centroid is compared with those of the 16·d groups
 * that are nearest to its own.
 *
 * Of the centroids of a list .93 and more are the nearest ones (docs/decisions/clustering-speed.md). The lists are the
 * same for any number of threads. Letters: k centroids, d dimensions, G groups, m = 12·d centroids of a list.
 */
import { nearestScratchBytes } from '../kernels/families/neighbours.ts';
import type { Block, Heap } from '../memory/heap.ts';
import { modelPool } from '../parallel/model-pool.ts';
import { finish } from '../parallel/steps.ts';
import type { Generator as Random } from '../random/generator.ts';
import type { Matrix } from '../vectors/matrix.ts';
import { Centroids } from './centroids.ts';
import { kMeans } from './k-means.ts';
import { copyOf, type Members, membersOf } from './members.ts';

/**
 * m / d: a row is compared with the centroids of one list in an iteration. With 8 dimensions k-means then ends at
 * distances .8 % above those of whole assignments, with lists of two thirds of the length 1.2 %.
 */
const LISTED_PER_DIMENSION = 12;
/** G / √k: with half as many groups, and as many centroids listed for each, three times as many rows miss theirs. */
const GROUPS_PER_ROOT = 8;
/** Groups that are listed for a group. With 8 per dimension 28 rows in 1,000 miss their nearest centroid, with 16 three. */
const NEAREST_GROUPS_PER_DIMENSION = 16;
/** Below this number of centroids one group has them all, because comparing all pairs takes no longer. */
const GROUPS_FROM = 2048;
/** Iterations of k-means for new groups, and for those of centroids that moved since. */
const ITERATIONS = 12;
const ITERATIONS_AGAIN = 1;

/** Lists of centroids in the memory of the kernels: list l is numbers[begin[l] … begin[l + 1]), ascending. */
export interface Lists {
  begin: Int32Array;
  numbers: Block;
}

/** The lists of some centroids, made anew by `update` when these have moved. */
export class NeighbourLists {
  readonly #centroids: Centroids;
  readonly #random: Random;
  /** The m nearest centroids of each centroid, the centroid itself among them. */
  readonly nearest: Lists;
  #groups: Centroids | undefined;
  #nearGroup: Lists | undefined;
  /** Pairs of vectors that were compared so far: a work counter for tests. */
  comparisons = 0;

  constructor(centroids: Centroids, random: Random) {
    this.#centroids = centroids;
    this.#random = random;
    const { count, matrix, runtime } = centroids;
    const listed = Math.min(LISTED_PER_DIMENSION * matrix.dimensions, count);
    this.nearest = emptyLists(count, listed, runtime.heap);
    this.update();
  }

  /** The centres of the groups; undefined where one group has all centroids. */
  get groups(): Centroids | undefined {
    return this.#groups;
  }

  /** For each group its centroids and those of the groups near it; undefined where one group has all centroids. */
  get nearGroup(): Lists | undefined {
    return this.#nearGroup;
  }

  /** Make the lists of the centroids as they are now. */
  update(): void {
    const { matrix, count, runtime } = this.#centroids;
    if (count >= GROUPS_FROM) {
      const members = this.#trainGroups();
      this.#nearGroup?.numbers.free();
      this.#nearGroup = this.#joinGroups(members);
      this.#listNearest(matrix, members, this.#nearGroup, this.nearest);
      return;
    }
    const all = allOf(count);
    const lists = { begin: all.begin, numbers: copyOf(all.order, runtime.heap) };
    this.#listNearest(matrix, all, lists, this.nearest);
    lists.numbers.free();
  }

  /** Give the memory back. */
  free(): void {
    this.nearest.numbers.free();
    this.#nearGroup?.numbers.free();
    this.#groups?.free();
  }

  /** Train the groups, from the earlier ones where there are any; returns the centroids of each, at least one. */
  #trainGroups(): Members {
    const { matrix, count, runtime } = this.#centroids;
    const before = this.#groups;
    const how = {
      clusters: before?.count ?? Math.round(GROUPS_PER_ROOT * Math.sqrt(count)),
      iterations: before ? ITERATIONS_AGAIN : ITERATIONS,
      initial: before?.matrix.data.slice(),
      sampleSize: count,
      initialization: 'random',
      minClusterSize: 1,
      isSpherical: false,
      random: this.#random,
    } as const;
    before?.free();
    const trained = finish(kMeans(matrix, how, runtime));
    const members = membersOf(trained, matrix);
    this.comparisons += (how.iterations + 1) * count * trained.count;
    const filled = [...members.begin.keys()].filter(
      (g) => g < trained.count && members.begin[g + 1]! > members.begin[g]!,
    );
    const groups = new Centroids(filled.length, matrix.dimensions, runtime);
    filled.forEach((g, at) => {
      groups.matrix.row(at).set(trained.matrix.row(g));
    });
    trained.free();
    groups.pack();
    this.#groups = groups;
    // Groups without centroids take no place, so the others keep their centroids and their order.
    return { begin: Int32Array.from([...filled, filled.at(-1)! + 1], (g) => members.begin[g]!), order: members.order };
  }

  /** For each group the centroids of the groups that are nearest to it. */
  #joinGroups({ begin, order }: Members): Lists {
    const { matrix, count, runtime } = this.#groups!;
    const { heap } = runtime;
    const all = allOf(count);
    const lists = { begin: all.begin, numbers: copyOf(all.order, heap) };
    const kept = Math.min(NEAREST_GROUPS_PER_DIMENSION * matrix.dimensions, count);
    const near = emptyLists(count, kept, heap);
    this.#listNearest(matrix, all, lists, near);
    const groups = near.numbers.integers(count * kept).slice();
    for (const { numbers } of [lists, near]) numbers.free();
    const joinedBegin = new Int32Array(count + 1);
    groups.forEach((near, i) => {
      joinedBegin[Math.floor(i / kept) + 1]! += begin[near + 1]! - begin[near]!;
    });
    for (let g = 0; g < count; g++) joinedBegin[g + 1]! += joinedBegin[g]!;
    const joined = heap.allocateUnfilled(4 * joinedBegin[count]!);
    const to = joined.integers(joinedBegin[count]!);
    let at = 0;
    for (const near of groups) {
      const own = order.subarray(begin[near], begin[near + 1]);
      to.set(own, at);
      at += own.length;
    }
    return { begin: joinedBegin, numbers: joined };
  }

  /** Write lists of the nearest ones of the vectors that are listed for a group, one for each vector of the group. */
  #listNearest({ runtime, dimensions: d, offset }: Matrix, members: Members, lists: Lists, nearest: Lists): void {
    const { heap } = runtime;
    const m = nearest.begin[1]!;
    const listMax = longest(lists);
    const scratchStride = nearestScratchBytes(listMax, d, m);
    const scratch = heap.allocateUnfilled(scratchStride * runtime.pool.threads);
    const groupBegin = copyOf(members.begin, heap);
    const order = copyOf(members.order, heap);
    const listBegin = copyOf(lists.begin, heap);
    modelPool(runtime).run('nearestListed', members.begin.length - 1, 1, {
      centroids: offset,
      d,
      groupBegin: groupBegin.offset,
      order: order.offset,
      listBegin: listBegin.offset,
      listed: lists.numbers.offset,
      m,
      nearest: nearest.numbers.offset,
      scratch: scratch.offset,
      scratchStride,
      listMax,
    });
    for (const block of [scratch, groupBegin, order, listBegin]) block.free();
    this.comparisons += comparisonsOf(members, lists);
  }
}

/** One group of all. */
function allOf(count: number): Members {
  return { begin: Int32Array.of(0, count), order: Int32Array.from({ length: count }, (_, i) => i) };
}

/** `count` lists of the same length, to be written. */
function emptyLists(count: number, length: number, heap: Heap): Lists {
  const begin = Int32Array.from({ length: count + 1 }, (_, l) => l * length);
  return { begin, numbers: heap.allocateUnfilled(4 * count * length) };
}

/** The length of the longest list. */
export function longest({ begin }: Pick<Lists, 'begin'>): number {
  let most = 0;
  for (let l = 1; l < begin.length; l++) most = Math.max(most, begin[l]! - begin[l - 1]!);
  return most;
}

/** Pairs of a row of list l and a centroid of list l, of all lists. */
export function comparisonsOf(rows: Members, lists: Lists): number {
  let pairs = 0;
  for (let l = 1; l < rows.begin.length; l++) {
    pairs += (rows.begin[l]! - rows.begin[l - 1]!) * (lists.begin[l]! - lists.begin[l - 1]!);
  }
  return pairs;
}
