/**
 * The leaves of an index in several memories: a head with centroids and codebook, and segments with the candidates of
 * consecutive leaves (docs/decisions/segments.md). A segment has the numbers of the leaves of the whole index; the leaves
 * of other segments are empty there.
 */
import type { Block } from '../../../memory/heap.ts';
import type { LeafShape, Leaves } from '../leaves.ts';

/** The head and the segments of one index. */
export class SegmentedLeaves {
  /** Its shape is that of the whole index. */
  readonly head: Leaves;
  readonly segments: readonly Leaves[];
  /** The first leaf of each segment, followed by the number of leaves. */
  readonly firstLeaves: readonly number[];
  /** [leaves] int32 in the head's memory: the segment of each leaf. */
  readonly ownerOf: Block;

  constructor(head: Leaves, segments: readonly Leaves[], firstLeaves: readonly number[]) {
    this.head = head;
    this.segments = segments;
    this.firstLeaves = firstLeaves;
    const { leaves } = head.shape;
    this.ownerOf = head.runtime.heap.allocate(4 * Math.max(1, leaves));
    const owners = this.ownerOf.integers(leaves);
    segments.forEach((_, s) => {
      owners.fill(s, firstLeaves[s]!, firstLeaves[s + 1]!);
    });
  }

  /** The shape of the whole index. */
  get shape(): LeafShape {
    return this.head.shape;
  }

  /** Bytes of all parts. */
  get sizeBytes(): number {
    return [this.head, ...this.segments].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Free all memory; the memories of the segments leave the team of threads. */
  free(): void {
    this.ownerOf.free();
    this.head.free();
    for (const segment of this.segments) {
      segment.free();
      segment.runtime.pool.leave();
    }
  }
}
