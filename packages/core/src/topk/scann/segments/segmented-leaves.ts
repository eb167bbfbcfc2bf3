/**
 * The leaves of an index as a head and segments in several memories (docs/decisions/segments.md). `segmentsOf` and the
 * loader of bundles bring this class, so that a bundler leaves it out of other programs.
 */
import type { OpenFile } from '../../../format/source.ts';
import type { Block } from '../../../memory/heap.ts';
import type { Pool } from '../../../parallel/pool.ts';
import { checkRowsInMemory, type FileRows } from '../file-rows.ts';
import { LeafSet } from '../leaf-set.ts';
import type { LeafShape, Leaves } from '../leaves.ts';

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

/** The leaves of one index in segments. */
export class SegmentedLeaves extends LeafSet {
  override readonly ownerOf: Block;

  /** A head and segments, of which segment s has the leaves from firstLeaves[s] up to firstLeaves[s + 1]. */
  constructor(head: Leaves, segments: readonly Leaves[], firstLeaves: readonly number[]) {
    super(head, segments, firstLeaves);
    const { leaves } = head.shape;
    this.ownerOf = head.runtime.heap.allocate(4 * leaves);
    const owners = this.ownerOf.integers(leaves);
    segments.forEach((_, s) => {
      owners.fill(s, firstLeaves[s]!, firstLeaves[s + 1]!);
    });
    this.count();
    collected.register(this, this.#held(), this);
  }

  override get fileRows(): FileRows | undefined {
    return this.segments[0]?.fileRows;
  }

  override get sizeBytes(): number {
    return [this.head, ...this.segments].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  override bytes(): Record<string, Uint8Array> {
    const named = this.segments.map((segment, s) =>
      Object.entries(segment.bytes()).map(([name, bytes]) => [`segments/${s}/${name}`, bytes] as const),
    );
    return { ...this.head.bytes(), ...Object.fromEntries(named.flat()) };
  }

  override count(): void {
    const sum = (of: (shape: LeafShape) => number): number =>
      this.segments.reduce((total, { shape }) => total + of(shape), 0);
    const { shape } = this;
    shape.groups = sum(({ groups }) => groups);
    shape.capacity = sum(({ capacity }) => capacity);
    shape.builtGroups = sum(({ builtGroups }) => builtGroups);
  }

  override checkTakesRows(verb: string): void {
    checkRowsInMemory(verb, this.fileRows);
  }

  override free(): void {
    collected.unregister(this);
    this.ownerOf.free();
    for (const leaves of [this.head, ...this.segments]) leaves.free();
    release(this.#held());
  }

  #held(): Held {
    const others = this.segments.filter(({ runtime }) => runtime !== this.runtime);
    return {
      pools: others.map(({ runtime }) => runtime.pool),
      files: this.segments.flatMap(({ fileRows }) => (fileRows ? [fileRows.file] : [])),
    };
  }
}
