/** Filters and exclusions of a call in the form that the kernels read: a bit word for each group, and lists of slots. */
import { OptionError, ShapeError, StateError } from '../../../errors/errors.ts';
import type { Block } from '../../../memory/heap.ts';
import { touchPages } from '../../../parallel/steps.ts';
import type { CallOptions, Exclusions, Identifier } from '../../contract.ts';
import type { Identifiers } from '../../identifiers.ts';
import { RowMask } from '../../row-mask.ts';
import { GROUP_SLOTS, type Leaves } from '../leaves.ts';

const GRAIN = 256;
/** Groups read in a step, some tenths of a millisecond: the writes, one per slot, go to random rows. */
const GROUPS_A_STEP = 1 << 7;
/** Share of extra room for new rows: growing then costs little in total, and little memory is unused. */
const GROWTH = 1 / 8;

/**
 * A filter compiled for the present candidates of an index: a bit word for each group and, when needed, the list of
 * slots that pass.
 */
export class GroupFilter {
  readonly leaves: Leaves;
  readonly words: Block;
  /** Candidates that pass the filter. */
  readonly kept: number;
  readonly #revision: number;
  readonly #slotCount: number;
  #slots: Block | undefined;

  constructor(leaves: Leaves, words: Block) {
    this.leaves = leaves;
    this.words = words;
    this.#revision = leaves.revision;
    const bits = words.integers(leaves.shape.groups);
    const valid = leaves.integers('valid');
    let count = 0;
    for (let g = 0; g < bits.length; g++) count += countBits(bits[g]! & valid[g]!);
    this.#slotCount = count;
    this.kept = leaves.shape.copies > 1 ? countRows(leaves, this.slots().integers(count)) : count;
  }

  /** True if it was compiled for these leaves in their present state. It has words only for the groups of that state. */
  fits(leaves: Leaves): boolean {
    return this.leaves === leaves && this.#revision === leaves.revision;
  }

  /** Slots that pass: more than candidates where candidates have second leaves. */
  get slotCount(): number {
    return this.#slotCount;
  }

  /** The slots that pass, ascending. */
  slots(): Block {
    if (this.#slots) return this.#slots;
    const slots = this.words.heap.allocate(4 * this.#slotCount);
    const to = slots.integers(this.#slotCount);
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

  /** The number of candidates that pass and were not deleted since the filter was compiled. */
  countPresent(): number {
    const { leaves } = this;
    const bits = this.words.integers(leaves.shape.groups);
    const valid = leaves.integers('valid');
    let count = 0;
    if (leaves.shape.copies === 1) {
      for (let g = 0; g < bits.length; g++) count += countBits(bits[g]! & valid[g]!);
      return count;
    }
    const present = (slot: number): number => (valid[slot >> 5]! >>> (slot & 31)) & 1;
    return countRows(leaves, this.slots().integers(this.#slotCount).filter(present));
  }

  /** Give the memory back. */
  free(): void {
    this.words.free();
    this.#slots?.free();
  }
}

function countRows(leaves: Leaves, slots: Int32Array): number {
  const rowOf = leaves.integers('rowOf');
  return new Set(slots.map((slot) => rowOf[slot]!)).size;
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
  static *steps(leaves: Leaves, rows: number): Generator<void, SlotsOfRows> {
    const { groups, copies } = leaves.shape;
    const slots = new SlotsOfRows(rows, copies);
    yield* touchPages(slots.#first);
    if (slots.#second) yield* touchPages(slots.#second);
    for (let begin = 0; begin < groups; begin += GROUPS_A_STEP) {
      slots.#add(leaves, begin, Math.min(groups, begin + GROUPS_A_STEP));
      yield;
    }
    return slots;
  }

  #add(leaves: Leaves, begin: number, end: number): void {
    const rowOf = leaves.integers('rowOf');
    const valid = leaves.integers('valid');
    for (let slot = begin * GROUP_SLOTS; slot < end * GROUP_SLOTS; slot++) {
      const row = rowOf[slot]!;
      if (row < 0 || !((valid[slot >> 5]! >>> (slot & 31)) & 1)) continue;
      if (this.#first[row] === 0) this.#first[row] = slot + 1;
      else if (this.#second) this.#second[row] = slot + 1;
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
  leaves: Leaves,
  identifiers: Identifiers<I>,
  { include, filter }: Pick<CallOptions<I>, 'include' | 'filter'>,
  slotsOf: () => SlotsOfRows,
): GroupFilter | undefined {
  if (include === undefined && filter === undefined) return undefined;
  const { heap, pool } = leaves.runtime;
  const { capacity, groups } = leaves.shape;
  const words = heap.allocate(4 * capacity);
  if (filter === undefined) {
    const bits = words.integers(capacity);
    for (const identifier of include!) {
      identifiers.forEachRow(identifier, (row) => {
        slotsOf().forEach(row, (slot) => {
          bits[slot >> 5]! |= 1 << (slot & 31);
        });
      });
    }
  } else {
    const mask = RowMask.of(identifiers, 1, { include, filter });
    if (!mask) throw new OptionError('filter: expected a predicate or bit words, got something else');
    const rows = heap.allocate(4 * Math.max(1, mask.words));
    mask.write(0, 1, rows.integers(mask.words));
    pool.run('maskGroups', groups, GRAIN, rows.offset, leaves.parts.rowOf!.offset, words.offset);
    rows.free();
  }
  return new GroupFilter(leaves, words);
}

/** A filter that all candidates pass: it lists their slots, for an index in which few candidates are left. */
export function filterOfAll(leaves: Leaves): GroupFilter {
  const { heap } = leaves.runtime;
  const { capacity } = leaves.shape;
  const words = heap.allocate(4 * capacity);
  words.integers(capacity).fill(-1);
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
  if (!Array.isArray(exclude)) {
    throw new OptionError('exclude: expected a list of identifiers or one list per query, got something else');
  }
  if (exclude.length === 0) return undefined;
  const isNested = Array.isArray(exclude[0]);
  if (isNested && exclude.length !== 1 && exclude.length !== queries) {
    throw new ShapeError(`exclude: expected one list for each of the ${queries} queries, got ${exclude.length} lists`);
  }
  const lists = (isNested ? exclude : [exclude]) as readonly (readonly I[])[];
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
export function checkFilter(filter: GroupFilter, leaves: Leaves): GroupFilter {
  if (!filter.fits(leaves)) {
    throw new StateError('filter: expected one compiled for the present candidates, got one from before a change');
  }
  return filter;
}
