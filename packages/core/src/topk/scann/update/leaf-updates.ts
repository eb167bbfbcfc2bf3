/**
 * Inserts points into built leaves and deletes them. A new point is coded with the centroids and the codebook of the
 * build and put into a group in the chain of its leaf, in the memory that has the leaf. A deletion clears a bit; the
 * slots of deleted points are not used again before a rebalance.
 */
import { finish } from '../../../parallel/steps.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { codedRows } from '../build/coded-rows.ts';
import type { LeafSet } from '../leaf-set.ts';
import { LeafDrift } from './leaf-drift.ts';
import { PointCoder } from './point-coder.ts';
import { SegmentUpdates } from './segment-updates.ts';

/** The rows of an insert that go to one segment: their positions, and the number of the segment. */
interface Share {
  segment: number;
  chosen: Int32Array;
}

/** Changes of one index. */
export class LeafUpdates {
  readonly #leaves: LeafSet;
  readonly #segments: readonly SegmentUpdates[];
  readonly #drift: LeafDrift;
  readonly #coder: PointCoder;

  constructor(leaves: LeafSet) {
    this.#leaves = leaves;
    this.#segments = leaves.segments.map((segment) => new SegmentUpdates(segment));
    this.#drift = new LeafDrift(leaves);
    this.#coder = new PointCoder(leaves.head);
  }

  /** Points inserted since the build. */
  get inserted(): number {
    return this.#drift.inserted;
  }

  /** Mean squared distance of inserted points from their centroids; 0 where there are none. */
  get meanDistance(): number {
    return this.#drift.meanDistance;
  }

  /**
   * Slots that the blocks have room for after the groups in use. A leaf that opens a group may use only one slot of it.
   */
  get roomPoints(): number {
    return this.#segments.reduce((sum, { capacity }) => sum + capacity.roomPoints, 0);
  }

  /** Make room for these rows (as scored) and for row numbers below `end`, in the memories of their leaves. */
  reserveFor(rows: Matrix, end: number): void {
    if (this.#leaves.isWhole) finish(this.growth(rows.rows, end));
    else {
      const counts = this.#countBySegment(rows);
      this.#segments.forEach((segment, s) => {
        if (counts[s]! > 0) segment.capacity.reserve(counts[s]!, end);
      });
    }
  }

  /** Make room for `points` more, and for row numbers below `rows`, in short steps; the index must not change between them. */
  *growth(points: number, rows: number): Generator<void, void> {
    for (const [s, { capacity }] of this.#segments.entries()) yield* capacity.growth(this.#shareOf(s, points), rows);
    this.#leaves.count();
  }

  /** Prepare the first insert in short steps: pack the centroids and count the places. */
  *preparation(): Generator<void, void> {
    if (this.#leaves.shape.leaves > 0) void this.#coder.centroids;
    yield;
    for (const { capacity } of this.#segments) yield* capacity.counting();
  }

  /**
   * Insert prepared rows [n, d] (as scored) under row numbers; returns the slot of each.
   */
  insert(rows: Matrix, numbers: Int32Array): Int32Array {
    const end = numbers.reduce((most, row) => Math.max(most, row + 1), 0);
    const slots =
      this.#leaves.shape.leaves === 0 ? this.#insertFlat(rows, numbers, end) : this.#insert(rows, numbers, end);
    this.#drift.count(rows.rows);
    this.#leaves.count();
    return slots;
  }

  /** Clear a slot. */
  remove(slot: number): void {
    this.#segments[this.#leaves.segmentOf(slot)]!.remove(this.#leaves.localOf(slot));
  }

  /**
   * Share of sampled points that would be in another leaf if the centroids followed the inserted points.
   */
  movedShare(sample: Matrix): number {
    if (this.#leaves.shape.leaves === 0 || this.inserted === 0 || sample.rows === 0) return 0;
    return this.#drift.movedShare(sample, this.#coder.centroids);
  }

  /** Give the memory back. */
  free(): void {
    this.#coder.free();
    for (const segment of this.#segments) segment.free();
  }

  /** In an index without leaves, a row is at the slot of its number. */
  #insertFlat(rows: Matrix, numbers: Int32Array, end: number): Int32Array {
    const [segment] = this.#segments;
    segment!.begin(rows.rows, end);
    const slots = Int32Array.from(numbers);
    segment!.place(
      rows,
      numbers.map((_, i) => i),
      numbers,
      slots,
    );
    return slots;
  }

  #insert(rows: Matrix, numbers: Int32Array, end: number): Int32Array {
    const coded = codedRows(this.#leaves.head, rows);
    const slots = new Int32Array(rows.rows);
    try {
      const { leaves, near, pack } = this.#coder.code(coded);
      const shares = this.#sharesOf(leaves);
      const { data } = coded;
      leaves.forEach((leaf, i) => {
        this.#drift.add(leaf, data, i, near[i]!);
      });
      for (const { segment: s, chosen } of shares) {
        const segment = this.#segments[s]!;
        segment.begin(chosen.length, end);
        const own = chosen.map((i) => {
          const slot = segment.freeSlot(leaves[i]!);
          pack(i, segment.leaves, slot);
          slots[i] = this.#leaves.slotOf(s, slot);
          return slot;
        });
        segment.place(
          rows,
          chosen,
          chosen.map((i) => numbers[i]!),
          own,
        );
      }
      return slots;
    } finally {
      this.#coder.done(rows.rows);
      if (coded !== rows) coded.free();
    }
  }

  /** The rows of each segment, in order, from the leaf of each row. */
  #sharesOf(leaves: Int32Array): Share[] {
    const lists = new Map<number, number[]>();
    leaves.forEach((leaf, i) => {
      const segment = this.#leaves.ownerOfLeaf(leaf);
      const list = lists.get(segment);
      if (list) list.push(i);
      else lists.set(segment, [i]);
    });
    return Array.from(lists, ([segment, list]) => ({ segment, chosen: Int32Array.from(list) }));
  }

  #countBySegment(rows: Matrix): number[] {
    const counts = this.#segments.map(() => 0);
    const coded = codedRows(this.#leaves.head, rows);
    try {
      for (const leaf of this.#coder.code(coded).leaves) counts[this.#leaves.ownerOfLeaf(leaf)]!++;
    } finally {
      this.#coder.done(rows.rows);
      if (coded !== rows) coded.free();
    }
    return counts;
  }

  /** The number of new points for which a segment makes room, in proportion to its share of the built groups. */
  #shareOf(segment: number, points: number): number {
    if (this.#leaves.isWhole) return points;
    const { builtGroups } = this.#leaves.segments[segment]!.shape;
    return Math.ceil((points * builtGroups) / Math.max(1, this.#leaves.shape.builtGroups));
  }
}
