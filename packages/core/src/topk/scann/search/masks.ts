/** Filters and exclusions of a call in the form that the kernels read: a bit word for each group, and lists of slots. */
import { checkInteger } from '../../../checks/numbers.ts';
import { StateError } from '../../../errors/errors.ts';
import type { Block } from '../../../memory/heap.ts';
import { touchPages } from '../../../parallel/steps.ts';
import type { CallOptions, Exclusions, Identifier } from '../../contract.ts';
import type { Identifiers } from '../../identifiers.ts';
import { exclusionLists, RowMask } from '../../row-mask.ts';
import type { LeafSet } from '../leaf-set.ts';
import { GROUP_SLOTS, type Leaves } from '../leaves.ts';

const GRAIN = 256;
/** Groups read in a step, some tenths of a millisecond: the writes, one per slot, go to random rows. */
const GROUPS_A_STEP = 1 << 7;
/** Share of extra room for new rows: growing then costs little in total, and little memory is unused. */
const GROWTH = 1 / 8;

/** The bit words of a filter for the groups of one memory, and the slots that pass. */
class MemoryFilter {
  readonly leaves: Leaves;
  readonly words: Block;
  /** Slots that pass. */
  readonly count: number;
  #slots: Block | undefined;

  constructor(leaves: Leaves, words: Block) {
    this.leaves = leaves;
    this.words = words;
    this.count = this.countPresent();
  }

  /** Slots that pass and hold a point now. */
  countPresent(): number {
    const bits = this.words.integers(this.leaves.shape.groups);
    const valid = this.leaves.integers('valid');
    let count = 0;
    for (let g = 0; g < bits.length; g++) count += countBits(bits[g]! & valid[g]!);
    return count;
  }

  /** The slots that pass, ascending. */
  slots(): Block {
    if (this.#slots) return this.#slots;
    const slots = this.words.heap.allocate(4 * this.count);
    const to = slots.integers(this.count);
    const bits = this.words.integers(this.leaves.shape.groups);
    const valid = this.leaves.integers('valid');
    let at = 0;
    for (let g = 0; g < bits.length; g++) {
      for (let word = bits[g]! & valid[g]!; word !== 0; word &= word - 1) {
        to[at++] = g * GROUP_SLOTS + 31 - Math.clz32(word & -word);
      }
    }
    this.#slots = slots;
    return slots;
  }

  /** Add the rows of the slots that pass; with `isPresent`, only of those that hold a point now. */
  addRows(rows: Set<number>, isPresent: boolean): void {
    const rowOf = this.leaves.integers('rowOf');
    const valid = this.leaves.integers('valid');
    for (const slot of this.slots().integers(this.count)) {
      if (!isPresent || (valid[slot >> 5]! >>> (slot & 31)) & 1) rows.add(rowOf[slot]!);
    }
  }

  free(): void {
    this.words.free();
    this.#slots?.free();
  }
}

/**
 * A filter compiled for the present candidates of an index: a bit word for each group and, when needed, the list of
 * slots that pass.
 */
export class GroupFilter {
  readonly leaves: LeafSet;
  /** Candidates that pass the filter. */
  readonly kept: number;
  readonly #revision: number;
  /** One for each segment. */
  readonly #memories: readonly MemoryFilter[];

  /** @param words of the groups of each segment */
  constructor(leaves: LeafSet, words: readonly Block[]) {
    this.leaves = leaves;
    this.#revision = leaves.revision;
    this.#memories = leaves.segments.map((segment, s) => new MemoryFilter(segment, words[s]!));
    this.kept = leaves.shape.copies > 1 ? this.#countRows(false) : sum(this.#memories, ({ count }) => count);
  }

  /** True if it was compiled for these leaves in their present state. It has words only for the groups of that state. */
  fits(leaves: LeafSet): boolean {
    return this.leaves === leaves && this.#revision === leaves.revision;
  }

  /** The words of the groups of a segment. */
  words(segment = 0): Block {
    return this.#memory(segment).words;
  }

  /** Slots of a segment that pass: more than candidates where candidates have second leaves. */
  slotCount(segment = 0): number {
    return this.#memory(segment).count;
  }

  /** The slots of a segment that pass, ascending. */
  slots(segment = 0): Block {
    return this.#memory(segment).slots();
  }

  /** True where a slot passes, whether or not it holds a point. */
  passes(slot: number): boolean {
    checkInteger('slot', slot, 0);
    const local = this.leaves.localOf(slot);
    const segment = this.leaves.segmentOf(slot);
    const words = this.words(segment).integers(this.leaves.segments[segment]!.shape.groups);
    return ((words[local >> 5]! >>> (local & 31)) & 1) === 1;
  }

  /** The number of candidates that pass and were not deleted since the filter was compiled. */
  countPresent(): number {
    if (this.leaves.shape.copies > 1) return this.#countRows(true);
    return sum(this.#memories, (memory) => memory.countPresent());
  }

  /** Give the memory back. */
  free(): void {
    for (const memory of this.#memories) memory.free();
  }

  #memory(segment: number): MemoryFilter {
    return this.#memories[checkInteger('segment', segment, 0, this.#memories.length - 1)]!;
  }

  #countRows(isPresent: boolean): number {
    const rows = new Set<number>();
    for (const memory of this.#memories) memory.addRows(rows, isPresent);
    return rows.size;
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** The slots of each row: one, or up to two where rows have second leaves. */
export class SlotsOfRows {
  /** Slot + 1; 0, the value of a new array, means none. */
  #first: Int32Array;
  #second: Int32Array | undefined;

  private constructor(rows: number, copies: number) {
    const room = rows + Math.ceil(rows * GROWTH);
    this.#first = new Int32Array(room);
    this.#second = copies > 1 ? new Int32Array(room) : undefined;
  }

  /** The slots of the rows of an index, in short steps; the index must not change between them. */
  static *steps(leaves: LeafSet, rows: number): Generator<void, SlotsOfRows> {
    const slots = new SlotsOfRows(rows, leaves.shape.copies);
    yield* touchPages(slots.#first);
    if (slots.#second) yield* touchPages(slots.#second);
    for (const [s, segment] of leaves.segments.entries()) {
      const { groups } = segment.shape;
      for (let begin = 0; begin < groups; begin += GROUPS_A_STEP) {
        slots.#add(segment, leaves.slotOf(s, 0), begin, Math.min(groups, begin + GROUPS_A_STEP));
        yield;
      }
    }
    return slots;
  }

  /** Add the slots of groups of one memory, whose first slot in the set is `base`. */
  #add(leaves: Leaves, base: number, begin: number, end: number): void {
    const rowOf = leaves.integers('rowOf');
    const valid = leaves.integers('valid');
    for (let slot = begin * GROUP_SLOTS; slot < end * GROUP_SLOTS; slot++) {
      const row = rowOf[slot]!;
      if (row < 0 || !((valid[slot >> 5]! >>> (slot & 31)) & 1)) continue;
      if (this.#first[row] === 0) this.#first[row] = base + slot + 1;
      else if (this.#second) this.#second[row] = base + slot + 1;
    }
  }

  /** The slot of a row, or −1. */
  first(row: number): number {
    return (this.#first[row] ?? 0) - 1;
  }

  /** Set the only slot of a row. */
  set(row: number, slot: number): void {
    if (row >= this.#first.length) {
      this.#first = grown(this.#first, row);
      if (this.#second) this.#second = grown(this.#second, row);
    }
    this.#first[row] = slot + 1;
    if (this.#second) this.#second[row] = 0;
  }

  /** Clear the slots of a row. */
  delete(row: number): void {
    if (row < this.#first.length) this.set(row, -1);
  }

  /** Visit the slots of a row. */
  forEach(row: number, visit: (slot: number) => void): void {
    const slot = this.first(row);
    if (slot < 0) return;
    const other = (this.#second?.[row] ?? 0) - 1;
    visit(slot);
    if (other >= 0) visit(other);
  }
}

/** A copy with room for `row` and an eighth more. */
function grown(slots: Int32Array, row: number): Int32Array {
  const more = new Int32Array(Math.ceil(row * (1 + GROWTH)) + 16);
  more.set(slots);
  return more;
}

/** Compile an include list and a filter; undefined where there is neither. */
export function compileFilter<I extends Identifier>(
  leaves: LeafSet,
  identifiers: Identifiers<I>,
  { include, filter }: Pick<CallOptions<I>, 'include' | 'filter'>,
  slotsOf: () => SlotsOfRows,
): GroupFilter | undefined {
  if (include === undefined && filter === undefined) return undefined;
  if (filter === undefined) return includeOnly(leaves, identifiers, include!, slotsOf);
  const mask = RowMask.of(identifiers, 1, { include, filter })!;
  const words = leaves.segments.map(({ runtime: { heap, pool }, shape, parts }) => {
    const own = heap.allocate(4 * shape.capacity);
    const rows = heap.allocate(4 * Math.max(1, mask.words));
    mask.write(0, 1, rows.integers(mask.words));
    pool.run('maskGroups', shape.groups, GRAIN, rows.offset, parts.rowOf!.offset, own.offset);
    rows.free();
    return own;
  });
  return new GroupFilter(leaves, words);
}

function includeOnly<I extends Identifier>(
  leaves: LeafSet,
  identifiers: Identifiers<I>,
  include: readonly I[],
  slotsOf: () => SlotsOfRows,
): GroupFilter {
  const words = leaves.segments.map(({ runtime, shape }) => runtime.heap.allocate(4 * shape.capacity));
  const bits = words.map((block, s) => block.integers(leaves.segments[s]!.shape.capacity));
  for (const identifier of include) {
    identifiers.forEachRow(identifier, (row) => {
      slotsOf().forEach(row, (slot) => {
        const local = leaves.localOf(slot);
        bits[leaves.segmentOf(slot)]![local >> 5]! |= 1 << (local & 31);
      });
    });
  }
  return new GroupFilter(leaves, words);
}

/** A filter that all candidates pass: it lists their slots, for an index in which few candidates are left. */
export function filterOfAll(leaves: LeafSet): GroupFilter {
  const words = leaves.segments.map(({ runtime, shape }) => {
    const block = runtime.heap.allocate(4 * shape.capacity);
    block.integers(shape.capacity).fill(-1);
    return block;
  });
  return new GroupFilter(leaves, words);
}

/** The excluded slots of each query. */
export function excludedSlots<I extends Identifier>(
  identifiers: Identifiers<I>,
  queries: number,
  exclude: Exclusions<I> | undefined,
  slotsOf: () => SlotsOfRows,
): { slots: Int32Array; begin: Int32Array } | undefined {
  if (exclude === undefined) return undefined;
  const lists = exclusionLists(exclude, queries);
  const begin = new Int32Array(queries + 1);
  const slots: number[] = [];
  lists.forEach((list, query) => {
    identifiers.forEachRowOf(list, (row) => slotsOf().forEach(row, (slot) => slots.push(slot)));
    begin[query + 1] = slots.length;
  });
  if (slots.length === 0) return undefined;
  return lists.length === queries ? { slots: Int32Array.from(slots), begin } : repeat(slots, queries);
}

function repeat(slots: readonly number[], queries: number): { slots: Int32Array; begin: Int32Array } {
  const all = new Int32Array(slots.length * queries);
  const begin = new Int32Array(queries + 1);
  for (let query = 0; query < queries; query++) {
    all.set(slots, query * slots.length);
    begin[query + 1] = (query + 1) * slots.length;
  }
  return { slots: all, begin };
}

/** @throws {StateError} when the candidates have changed since a filter was compiled */
export function checkFilter(filter: GroupFilter, leaves: LeafSet): GroupFilter {
  if (!filter.fits(leaves)) {
    throw new StateError('filter: expected one compiled for the present candidates, got one from before a change');
  }
  return filter;
}
