/**
 * The leaves of an index in one memory, and what they have in common with those in several memories, a head and segments
 * (segments/segmented-leaves.ts). The head has centroids and codebook; a segment has the candidates of consecutive leaves.
 * Leaves have the same numbers in a segment as in the whole index; the leaves of other segments are empty there.
 *
 * A slot of the set is the slot of a segment with the number of the segment in its upper bits.
 */
import type { Block } from '../../memory/heap.ts';
import type { Runtime } from '../../parallel/runtime.ts';
import type { FileRows } from './file-rows.ts';
import { GROUP_SLOTS, type LeafShape, type Leaves } from './leaves.ts';

/** Bits of a slot: it is a positive int32. */
const SLOT_BITS = 31;

/** The leaves of one index: in one memory, unless it is a SegmentedLeaves. */
export class LeafSet {
  /** Its shape is that of the whole index. */
  readonly head: Leaves;
  /** The head itself where the index is in one memory. */
  readonly segments: readonly Leaves[];
  /** The first leaf of each segment, followed by the number of leaves. */
  readonly firstLeaves: readonly number[];
  /** [leaves] int32 in the head's memory: the segment of each leaf; undefined for an index in one memory. */
  readonly ownerOf: Block | undefined = undefined;
  /** Bits of a slot within its segment. */
  readonly #localBits: number;

  protected constructor(head: Leaves, segments: readonly Leaves[], firstLeaves: readonly number[]) {
    this.head = head;
    this.segments = segments;
    this.firstLeaves = firstLeaves;
    this.#localBits = SLOT_BITS - Math.ceil(Math.log2(segments.length));
  }

  /** The leaves of an index in one memory. */
  static whole(leaves: Leaves): LeafSet {
    return new LeafSet(leaves, [leaves], [0, leaves.shape.leaves]);
  }

  /** True for an index in one memory. */
  get isWhole(): boolean {
    return this.segments[0] === this.head;
  }

  /** The shape of the whole index. */
  get shape(): LeafShape {
    return this.head.shape;
  }

  /** The runtime of the head. */
  get runtime(): Runtime {
    return this.head.runtime;
  }

  /** The rows of the first segment, where rows stay in a file. */
  get fileRows(): FileRows | undefined {
    return undefined;
  }

  /** Bytes of all parts. */
  get sizeBytes(): number {
    return this.head.sizeBytes;
  }

  /** The number of changes of the points so far. */
  get revision(): number {
    return this.segments.reduce((sum, { revision }) => sum + revision, 0);
  }

  /** The parts as bytes, by name; those of segment s are named `segments/s/…`. */
  bytes(): Record<string, Uint8Array> {
    return this.head.bytes();
  }

  /** The number of the segment that has a slot. */
  segmentOf(slot: number): number {
    return slot >>> this.#localBits;
  }

  /** The slot within its segment. */
  localOf(slot: number): number {
    return slot & (2 ** this.#localBits - 1);
  }

  /** The slot of the set for a slot of segment `number`. */
  slotOf(number: number, local: number): number {
    return number * 2 ** this.#localBits + local;
  }

  /** The slot at a position in the sequence of the slots of all segments. */
  slotAt(position: number): number {
    let number = 0;
    let local = position;
    for (; local >= this.segments[number]!.shape.groups * GROUP_SLOTS; number++) {
      local -= this.segments[number]!.shape.groups * GROUP_SLOTS;
    }
    return this.slotOf(number, local);
  }

  /** The number of the segment that has a leaf. */
  ownerOfLeaf(leaf: number): number {
    let number = 0;
    while (leaf >= this.firstLeaves[number + 1]!) number++;
    return number;
  }

  /** The row of a slot, −1 for none. */
  rowOf(slot: number): number {
    return this.segments[this.segmentOf(slot)]!.integers('rowOf')[this.localOf(slot)]!;
  }

  /** True where a slot holds a point. */
  isPresent(slot: number): boolean {
    const local = this.localOf(slot);
    return ((this.segments[this.segmentOf(slot)]!.integers('valid')[local >> 5]! >>> (local & 31)) & 1) === 1;
  }

  /** Groups of the build in a leaf. */
  builtGroupsOf(leaf: number): number {
    const groups = this.segments[this.ownerOfLeaf(leaf)]!.integers('leafGroups');
    return groups[leaf + 1]! - groups[leaf]!;
  }

  /** Set the numbers of groups in the shape of the whole index to the sums over the segments, after these changed. */
  count(): void {}

  /** @throws {StateError} where rows stay in a file, to which none can be added */
  checkTakesRows(_verb: string): void {}

  /** Free all memory; the memories of segments leave the team of threads. */
  free(): void {
    this.head.free();
  }
}
