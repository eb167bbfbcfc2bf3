/**
 * The room of a built index for further groups and rows: computes how much room its blocks have and an update needs,
 * and copies parts to larger blocks where there is too little.
 *
 * Capacity is counted in groups of 32 slots. Places are positions in the part `rows` where a row may have two slots.
 */
import type { Block } from '../../../memory/heap.ts';
import { finish } from '../../../parallel/steps.ts';
import { memoryError } from '../../memory-error.ts';
import { GROUP_SLOTS, type Leaves, partBytes, rowBytes } from '../leaves.ts';

/** Share of extra room: growing then costs little in total, and little memory is unused. */
const GROWTH = 1 / 8;
/** The parts whose size grows with the groups or the places. */
const GROWING = ['codes', 'rowOf', 'valid', 'nextGroup', 'rows', 'placeOf'] as const;
/**
 * Bytes copied in a step, and bytes cleared when an update starts to use more room. The system takes microseconds to
 * allocate a page at its first access, so this takes up to a millisecond.
 */
const COPIED_BYTES = 1 << 17;
const CLEARED_BYTES = 1 << 17;
/** Slots read in a step, some tenths of a millisecond. */
const SLOTS_A_STEP = 1 << 17;

/** Names of parts with the sizes of their larger blocks. */
type LargerBlocks = readonly (readonly [name: (typeof GROWING)[number], sizeBytes: number])[];

/** The room of one index. */
export class LeafCapacity {
  readonly #leaves: Leaves;
  /** Places in use; −1 until they are counted. */
  #nextPlace = -1;

  constructor(leaves: Leaves) {
    this.#leaves = leaves;
  }

  /**
   * Make room for `points` more, and for row numbers below `rows`.
   *
   * @throws {MemoryError} when the memory cannot hold them; nothing was allocated then
   */
  reserve(points: number, rows: number): void {
    finish(this.growth(points, rows));
  }

  /**
   * Slots that the blocks have room for after the groups in use. A leaf that opens a group may use only one slot of it.
   */
  get roomPoints(): number {
    return (this.#capacityOfBlocks() - this.#leaves.shape.groups) * GROUP_SLOTS;
  }

  /**
   * `reserve` in short steps. Parts whose blocks are too small are copied to larger ones, which replace them in the
   * last step. The index must not change between the steps.
   */
  *growth(points: number, rows: number): Generator<void, void> {
    const larger = this.#largerBlocks(points, rows);
    this.#askFor(larger, points, rows);
    yield* this.#move(larger);
  }

  /** The parts whose blocks are too small, with the sizes of the blocks that replace them. */
  #largerBlocks(points: number, rows: number): LargerBlocks {
    const { shape, parts } = this.#leaves;
    const { capacity, places } = this.#need(points, rows);
    if (capacity <= this.#capacityOfBlocks() && places <= this.#placesOfBlocks()) return [];
    const sizes = partBytes({
      ...shape,
      capacity: Math.max(capacity, Math.ceil(shape.groups * (1 + GROWTH))),
      places: Math.ceil(places * (1 + GROWTH)),
    });
    return GROWING.filter((name) => parts[name] && sizes[name]! > parts[name].sizeBytes).map((name) => [
      name,
      sizes[name]!,
    ]);
  }

  /** Check that the memory can hold the larger blocks beside the present ones, before any is allocated. */
  #askFor(larger: LargerBlocks, points: number, rows: number): void {
    const { runtime, shape } = this.#leaves;
    const { heap } = runtime;
    const { dimensions } = shape;
    const holds = (blocks: LargerBlocks): boolean => heap.canHold(blocks.map(([, sizeBytes]) => sizeBytes));
    if (holds(larger)) return;
    const bytes = larger.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0);
    const fits = (fewer: number, d: number): boolean =>
      d === dimensions && holds(this.#largerBlocks(fewer, rows - points + fewer));
    throw memoryError(heap, {
      name: 'candidates to add',
      rows: points,
      dimensions,
      bytes,
      fits,
    });
  }

  /** Capacity and places for `points` more, and for row numbers below `rows`. */
  #need(points: number, rows: number): { capacity: number; places: number } {
    const { shape } = this.#leaves;
    const flat = shape.leaves === 0;
    // A point may open a new group of its leaf; each leaf has at most one group that is not full.
    const groups = flat
      ? Math.max(0, Math.ceil(rows / GROUP_SLOTS) - shape.groups)
      : Math.ceil(points / GROUP_SLOTS) + Math.min(points, shape.leaves);
    return { capacity: shape.groups + groups, places: shape.places > 0 ? this.#places() + points : 0 };
  }

  /** Capacity that every block holds. */
  #capacityOfBlocks(): number {
    const { shape, parts } = this.#leaves;
    const empty = partBytes({ ...shape, capacity: 0 });
    const one = partBytes({ ...shape, capacity: 1 });
    const holds = GROWING.filter((name) => parts[name] && one[name]! > empty[name]!).map((name) =>
      Math.floor((parts[name]!.sizeBytes - empty[name]!) / (one[name]! - empty[name]!)),
    );
    return Math.min(...holds);
  }

  #placesOfBlocks(): number {
    const { shape, parts } = this.#leaves;
    return shape.places > 0 ? Math.floor(parts.rows!.sizeBytes / rowBytes(shape)) : 0;
  }

  /** Copy parts to larger blocks. */
  *#move(larger: LargerBlocks): Generator<void, void> {
    const { shape, parts, runtime } = this.#leaves;
    const used = partBytes(shape);
    const moved: Record<string, Block> = {};
    let isWhole = false;
    try {
      for (const [name, sizeBytes] of larger) {
        const block = runtime.heap.allocateUnfilled(sizeBytes);
        moved[name] = block;
        const [from, to] = [parts[name]!.bytes().subarray(0, used[name]!), block.bytes()];
        for (let at = 0; at < from.length; at += COPIED_BYTES) {
          to.set(from.subarray(at, at + COPIED_BYTES), at);
          yield;
        }
      }
      isWhole = true;
    } finally {
      if (!isWhole) for (const block of Object.values(moved)) block.free();
    }
    for (const name of Object.keys(moved)) parts[name]!.free();
    Object.assign(parts, moved);
    this.#leaves.refresh();
  }

  /**
   * Clear unused room of the blocks and start to use it, for `points` more and for row numbers below `rows`. A little
   * more than needed is cleared, so that not every update has to.
   */
  use(points: number, rows: number): void {
    const { shape, parts } = this.#leaves;
    const { capacity, places } = this.#need(points, rows);
    if (capacity <= shape.capacity && places <= shape.places) return;
    const before = partBytes(shape);
    const groupBytes = GROWING.reduce((sum, name) => sum + (before[name] ?? 0), 0) / Math.max(1, shape.capacity);
    const more = Math.ceil(CLEARED_BYTES / Math.max(1, groupBytes));
    shape.capacity = Math.max(shape.capacity, Math.min(this.#capacityOfBlocks(), capacity + more));
    if (places > shape.places) shape.places = Math.min(this.#placesOfBlocks(), places + more * GROUP_SLOTS);
    const sizes = partBytes(shape);
    for (const name of GROWING) {
      const isNone = name === 'rowOf' || name === 'nextGroup';
      parts[name]?.bytes().fill(isNone ? 0xff : 0, before[name]!, sizes[name]!);
    }
    this.#leaves.refresh();
  }

  /** Take the next free place for a row. */
  takePlace(): number {
    const place = this.#places();
    this.#nextPlace = place + 1;
    return place;
  }

  /** The number of places in use. It only grows, because a row is never moved to another place. */
  #places(): number {
    if (this.#nextPlace < 0) finish(this.counting());
    return this.#nextPlace;
  }

  /** Count the places in use, in short steps; inserts may run between them. */
  *counting(): Generator<void, void> {
    const { shape } = this.#leaves;
    if (this.#nextPlace >= 0 || shape.places === 0) return;
    const rowOf = this.#leaves.integers('rowOf');
    const placeOf = this.#leaves.integers('placeOf');
    let next = 0;
    for (let slot = 0; slot < shape.groups * GROUP_SLOTS; slot++) {
      if (rowOf[slot]! >= 0) next = Math.max(next, placeOf[slot]! + 1);
      if (slot % SLOTS_A_STEP === 0) yield;
    }
    // An insert between the steps has counted the places already.
    if (this.#nextPlace < 0) this.#nextPlace = next;
  }
}
