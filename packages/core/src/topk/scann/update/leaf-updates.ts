/**
 * Inserts points into built leaves and deletes them. A new point is coded with the centroids and the codebook of the
 * build and put into a group in the chain of its leaf. A deletion clears a bit; the slots of deleted points are not
 * used again before a rebalance.
 */
import { assert } from '../../../checks/assert.ts';
import type { Block } from '../../../memory/heap.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { codedRows } from '../build/coded-rows.ts';
import { GROUP_SLOTS, type Leaves, rowBytes, rowStride } from '../leaves.ts';
import { LeafCapacity } from './leaf-capacity.ts';
import { LeafDrift } from './leaf-drift.ts';
import { PointCoder } from './point-coder.ts';

/** Changes of one index. */
export class LeafUpdates {
  readonly #leaves: Leaves;
  readonly #capacity: LeafCapacity;
  readonly #drift: LeafDrift;
  readonly #coder: PointCoder;
  /** For each leaf, the group of its chain that has room (−1: none), and the number of slots used in it. */
  readonly #open: Int32Array;
  readonly #fill: Int32Array;
  #inverse: Block | undefined;

  constructor(leaves: Leaves) {
    this.#leaves = leaves;
    this.#capacity = new LeafCapacity(leaves);
    this.#drift = new LeafDrift(leaves);
    this.#coder = new PointCoder(leaves);
    this.#open = new Int32Array(leaves.shape.leaves).fill(-1);
    this.#fill = new Int32Array(leaves.shape.leaves);
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
    return this.#capacity.roomPoints;
  }

  /** Make room for `points` more, and for row numbers below `rows`. */
  reserve(points: number, rows: number): void {
    this.#capacity.reserve(points, rows);
  }

  /** `reserve` in short steps; the index must not change between them. */
  growth(points: number, rows: number): Generator<void, void> {
    return this.#capacity.growth(points, rows);
  }

  /** Prepare the first insert in short steps: pack the centroids and count the places. */
  *preparation(): Generator<void, void> {
    if (this.#leaves.shape.leaves > 0) void this.#coder.centroids;
    yield;
    yield* this.#capacity.counting();
  }

  /**
   * Insert prepared rows [n, d] (as scored) under row numbers; returns the slot of each.
   */
  insert(rows: Matrix, numbers: Int32Array): Int32Array {
    const { shape } = this.#leaves;
    const n = rows.rows;
    const end = numbers.reduce((most, row) => Math.max(most, row + 1), 0);
    this.#capacity.reserve(n, end);
    this.#leaves.change();
    this.#capacity.use(n, end);
    const slots = shape.leaves === 0 ? Int32Array.from(numbers) : this.#encode(rows);
    this.#place(rows, numbers, slots);
    this.#drift.count(n);
    return slots;
  }

  /** Clear a slot. */
  remove(slot: number): void {
    this.#leaves.change();
    this.#leaves.integers('valid')[slot >> 5]! &= ~(1 << (slot & 31));
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
    this.#inverse?.free();
    this.#inverse = undefined;
  }

  /** Slots of new points; their codes are written. */
  #encode(rows: Matrix): Int32Array {
    const coded = codedRows(this.#leaves, rows);
    try {
      const { leaves, near, pack } = this.#coder.code(coded);
      const { data } = coded;
      return Int32Array.from(leaves, (leaf, i) => {
        this.#drift.add(leaf, data, i, near[i]!);
        const slot = this.#freeSlot(leaf);
        pack(i, slot);
        return slot;
      });
    } finally {
      this.#coder.done(rows.rows);
      if (coded !== rows) coded.free();
    }
  }

  /** The next free slot of the leaf's open group, or the first slot of a new group at the head of its chain. */
  #freeSlot(leaf: number): number {
    let group = this.#open[leaf]!;
    if (group < 0 || this.#fill[leaf] === GROUP_SLOTS) {
      const { shape } = this.#leaves;
      assert(shape.groups < shape.capacity, 'scann: no room for a group');
      group = shape.groups++;
      // These views are made only once for 32 points.
      const heads = this.#leaves.integers('leafExtra');
      this.#leaves.integers('nextGroup')[group] = heads[leaf]!;
      heads[leaf] = group;
      this.#open[leaf] = group;
      this.#fill[leaf] = 0;
    }
    return group * GROUP_SLOTS + this.#fill[leaf]!++;
  }

  /** Row numbers, bits and rows of new points at their slots. */
  #place(rows: Matrix, numbers: Int32Array, slots: Int32Array): void {
    const { shape, parts, runtime } = this.#leaves;
    const d = shape.dimensions;
    const rowOf = this.#leaves.integers('rowOf');
    const valid = this.#leaves.integers('valid');
    const placeOf = shape.places > 0 ? this.#leaves.integers('placeOf') : undefined;
    const bytes = rowBytes(shape);
    const inverse = this.#inverseScales();
    slots.forEach((slot, i) => {
      if (shape.leaves === 0) shape.groups = Math.max(shape.groups, (slot >> 5) + 1);
      rowOf[slot] = numbers[i]!;
      valid[slot >> 5]! |= 1 << (slot & 31);
      let place = slot;
      if (placeOf) {
        place = this.#capacity.takePlace();
        placeOf[slot] = place;
      }
      const from = rows.offset + 4 * i * d;
      const to = parts.rows!.offset + place * bytes;
      runtime.kernels.storeRows(0, 1, 0, from, d, 0, shape.rowKind, inverse, rowStride(d), to);
    });
  }

  /** The inverse scales of the build for int8 rows. New values outside the range of the scales are clamped. */
  #inverseScales(): number {
    const { shape, runtime } = this.#leaves;
    if (shape.rowKind !== 2) return 0;
    if (!this.#inverse) {
      this.#inverse = runtime.heap.allocate(4 * rowStride(shape.dimensions));
      const scales = this.#leaves.floats('rowScales');
      this.#inverse.floats(shape.dimensions).set(scales.subarray(0, shape.dimensions).map((s) => (s > 0 ? 1 / s : 0)));
    }
    return this.#inverse.offset;
  }
}
