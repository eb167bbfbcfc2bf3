/**
 * The leaves of an index: in one memory, or as a head and segments in several memories (docs/decisions/segments.md).
 * The head has centroids and codebook; a segment has the candidates of consecutive leaves. Leaves have the same numbers
 * in a segment as in the whole index; the leaves of other segments are empty there.
 *
 * A slot of the set is the slot of a segment with the number of the segment in its upper bits.
 */
import type { OpenFile } from '../../format/source.ts';
import type { Block } from '../../memory/heap.ts';
import type { Pool } from '../../parallel/pool.ts';
import type { Runtime } from '../../parallel/runtime.ts';
import type { FileRows } from './file-rows.ts';
import { GROUP_SLOTS, type LeafShape, type Leaves } from './leaves.ts';

/** Bits of a slot: it is a positive int32. */
const SLOT_BITS = 31;

/** The memories of the segments of a set, and the files of their rows: a set holds them beside its blocks. */
interface Held {
  pools: readonly Pool[];
  files: readonly OpenFile[];
}

/** The memories of a set that is garbage collected leave the team, which would otherwise keep them alive. */
const collected = new FinalizationRegistry<Held>(release);

function release({ pools, files }: Held): void {
  for (const pool of pools) pool.leave();
  for (const file of files) file.close();
}

/** The leaves of one index. */
export class LeafSet {
  /** Its shape is that of the whole index. */
  readonly head: Leaves;
  /** The head itself where the index is in one memory. */
  readonly segments: readonly Leaves[];
  /** The first leaf of each segment, followed by the number of leaves. */
  readonly firstLeaves: readonly number[];
  /** [leaves] int32 in the head's memory: the segment of each leaf; undefined for an index in one memory. */
  readonly ownerOf: Block | undefined;
  /** Bits of a slot within its segment. */
  readonly #localBits: number;

  private constructor(head: Leaves, segments: readonly Leaves[], firstLeaves: readonly number[]) {
    this.head = head;
    this.segments = segments;
    this.firstLeaves = firstLeaves;
    this.#localBits = SLOT_BITS - Math.ceil(Math.log2(segments.length));
    if (segments[0] === head) return;
    const { leaves } = head.shape;
    this.ownerOf = head.runtime.heap.allocate(4 * leaves);
    const owners = this.ownerOf.integers(leaves);
    segments.forEach((_, s) => {
      owners.fill(s, firstLeaves[s]!, firstLeaves[s + 1]!);
    });
    this.count();
    collected.register(this, this.#held(), this);
  }

  /** The leaves of an index in one memory. */
  static whole(leaves: Leaves): LeafSet {
    return new LeafSet(leaves, [leaves], [0, leaves.shape.leaves]);
  }

  /** A head and segments, of which segment s has the leaves from firstLeaves[s] up to firstLeaves[s + 1]. */
  static segmented(head: Leaves, segments: readonly Leaves[], firstLeaves: readonly number[]): LeafSet {
    return new LeafSet(head, segments, firstLeaves);
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
    return this.segments[0]?.fileRows;
  }

  /** Bytes of all parts. */
  get sizeBytes(): number {
    return this.#memories().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** The number of changes of the points so far. */
  get revision(): number {
    return this.segments.reduce((sum, { revision }) => sum + revision, 0);
  }

  /** The parts as bytes, by name; those of segment s are named `segments/s/…`. */
  bytes(): Record<string, Uint8Array> {
    if (this.isWhole) return this.head.bytes();
    const named = this.segments.map((segment, s) =>
      Object.entries(segment.bytes()).map(([name, bytes]) => [`segments/${s}/${name}`, bytes] as const),
    );
    return { ...this.head.bytes(), ...Object.fromEntries(named.flat()) };
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
  count(): void {
    if (this.isWhole) return;
    const sum = (of: (shape: LeafShape) => number): number =>
      this.segments.reduce((total, { shape }) => total + of(shape), 0);
    const { shape } = this;
    shape.groups = sum(({ groups }) => groups);
    shape.capacity = sum(({ capacity }) => capacity);
    shape.builtGroups = sum(({ builtGroups }) => builtGroups);
  }

  /** Free all memory; the memories of segments leave the team of threads. */
  free(): void {
    collected.unregister(this);
    this.ownerOf?.free();
    for (const leaves of this.#memories()) leaves.free();
    release(this.#held());
  }

  #held(): Held {
    const others = this.segments.filter(({ runtime }) => runtime !== this.runtime);
    return {
      pools: others.map(({ runtime }) => runtime.pool),
      files: this.segments.flatMap(({ fileRows }) => (fileRows ? [fileRows.file] : [])),
    };
  }

  #memories(): readonly Leaves[] {
    return this.isWhole ? this.segments : [this.head, ...this.segments];
  }
}
