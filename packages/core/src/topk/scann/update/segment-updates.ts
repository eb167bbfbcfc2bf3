/**
 * Puts points into the leaves of one memory: the slots of new points in the chains of leaves, their rows, and the room
 * for them.
 */
import { assert } from '../../../checks/assert.ts';
import type { Block } from '../../../memory/heap.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { GROUP_SLOTS, type Leaves, rowBytes, rowStride } from '../leaves.ts';
import { LeafCapacity } from './leaf-capacity.ts';

/** Changes of the leaves of one memory. */
export class SegmentUpdates {
  readonly leaves: Leaves;
  readonly capacity: LeafCapacity;
  /** For each leaf, the group of its chain that has room (−1: none), and the number of slots used in it. */
  readonly #open: Int32Array;
  readonly #fill: Int32Array;
  #inverse: Block | undefined;
  /** A row of another memory, copied to this one. */
  #row: Block | undefined;

  constructor(leaves: Leaves) {
    this.leaves = leaves;
    this.capacity = new LeafCapacity(leaves);
    this.#open = new Int32Array(leaves.shape.leaves).fill(-1);
    this.#fill = new Int32Array(leaves.shape.leaves);
  }

  /** Begin to insert `points` points with row numbers below `rows`. */
  begin(points: number, rows: number): void {
    this.capacity.reserve(points, rows);
    this.leaves.change();
    this.capacity.use(points, rows);
  }

  /** Clear a slot. */
  remove(slot: number): void {
    this.leaves.change();
    this.leaves.integers('valid')[slot >> 5]! &= ~(1 << (slot & 31));
  }

  /** The next free slot of the leaf's open group, or the first slot of a new group at the head of its chain. */
  freeSlot(leaf: number): number {
    let group = this.#open[leaf]!;
    if (group < 0 || this.#fill[leaf] === GROUP_SLOTS) {
      const { shape } = this.leaves;
      assert(shape.groups < shape.capacity, 'scann: no room for a group');
      group = shape.groups++;
      // These views are made only once for 32 points.
      const heads = this.leaves.integers('leafExtra');
      this.leaves.integers('nextGroup')[group] = heads[leaf]!;
      heads[leaf] = group;
      this.#open[leaf] = group;
      this.#fill[leaf] = 0;
    }
    return group * GROUP_SLOTS + this.#fill[leaf]!++;
  }

  /** Row numbers, bits and rows of new points at their slots: point i is row chosen[i] of `rows`. */
  place(rows: Matrix, chosen: Int32Array, numbers: Int32Array, slots: Int32Array): void {
    const { shape, parts, runtime } = this.leaves;
    const d = shape.dimensions;
    const rowOf = this.leaves.integers('rowOf');
    const valid = this.leaves.integers('valid');
    const placeOf = shape.places > 0 ? this.leaves.integers('placeOf') : undefined;
    const bytes = rowBytes(shape);
    const inverse = this.#inverseScales();
    slots.forEach((slot, i) => {
      if (shape.leaves === 0) shape.groups = Math.max(shape.groups, (slot >> 5) + 1);
      rowOf[slot] = numbers[i]!;
      valid[slot >> 5]! |= 1 << (slot & 31);
      let place = slot;
      if (placeOf) {
        place = this.capacity.takePlace();
        placeOf[slot] = place;
      }
      const from = this.#here(rows, chosen[i]!);
      const to = parts.rows!.offset + place * bytes;
      runtime.kernels.storeRows(0, 1, 0, from, d, 0, shape.rowKind, inverse, rowStride(d), to);
    });
  }

  /** Give the memory back. */
  free(): void {
    this.#inverse?.free();
    this.#inverse = undefined;
    this.#row?.free();
    this.#row = undefined;
  }

  /** The offset of a row in this memory; a row of another memory is copied, and valid until the next call. */
  #here(rows: Matrix, row: number): number {
    const { runtime } = this.leaves;
    const d = rows.dimensions;
    if (rows.runtime === runtime) return rows.offset + 4 * row * d;
    this.#row ??= runtime.heap.allocate(4 * d);
    this.#row.floats(d).set(rows.row(row));
    return this.#row.offset;
  }

  /** The inverse scales of the build for int8 rows. New values beyond them are clamped where rows have no factor. */
  #inverseScales(): number {
    const { shape, runtime } = this.leaves;
    if (shape.rowKind < 2) return 0;
    if (!this.#inverse) {
      this.#inverse = runtime.heap.allocate(4 * rowStride(shape.dimensions));
      const scales = this.leaves.floats('rowScales');
      this.#inverse.floats(shape.dimensions).set(scales.subarray(0, shape.dimensions).map((s) => (s > 0 ? 1 / s : 0)));
    }
    return this.#inverse.offset;
  }
}
