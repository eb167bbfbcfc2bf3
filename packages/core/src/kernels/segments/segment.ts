/**
 * One memory in a search over segments: its kernels, and the positions of the records and of the scratch memory of a
 * thread. Positions count numbers of four bytes.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import type { IndexKernelTable } from '../contract.ts';
import { rowBytesOf, SCANN_CALL, SCANN_INDEX, SCANN_STATE } from '../families/scann.ts';
import { fieldPositions, type RecordAddress, type RecordValues } from '../record.ts';

/** A linear memory and the kernels that are bound to it on this thread. */
export interface KernelMemory {
  kernels: IndexKernelTable;
  memory: LinearMemory;
}

const CALL: RecordValues<typeof SCANN_CALL> = fieldPositions(SCANN_CALL);
const INDEX: RecordValues<typeof SCANN_INDEX> = fieldPositions(SCANN_INDEX);
/** The positions of the fields of a state. */
export const STATE: RecordValues<typeof SCANN_STATE> = fieldPositions(SCANN_STATE);
/** Numbers in a state. */
export const STATE_LENGTH: number = Object.keys(SCANN_STATE.fields).length;

/** The head or a segment of an index, for the queries of one call on one thread. */
export class Segment {
  readonly kernels: IndexKernelTable;
  readonly integers: Int32Array;
  readonly floats: Float32Array;
  readonly index: RecordAddress<typeof SCANN_INDEX>;
  readonly call: RecordAddress<typeof SCANN_CALL>;
  readonly slot: number;
  /** Keys of leaves, two numbers each: ~leaf, and the ordered bits of the score. */
  readonly keys: number;
  readonly tables: number;
  readonly state: number;
  readonly best: number;
  /** The group of each scanned group, in the order of the scan. */
  readonly groupIds: number;
  readonly slots: number;
  readonly slotScores: number;
  readonly scoresOut: number;
  readonly rowsOut: number;
  readonly countsOut: number;
  /** 0 where work is not counted. */
  readonly countersOut: number;
  /** [slots] the row number of each slot, and its place in the rows; `placeOf` is 0 where a row is at its slot. */
  readonly rowOf: number;
  readonly placeOf: number;
  /** [groups] bit words: the slots that hold a point. */
  readonly valid: number;
  /** Bytes of a row. */
  readonly rowBytes: number;
  /** Leaves that the query searches here, candidates found here, and results that the merge has taken from here. */
  leaves = 0;
  candidates = 0;
  taken = 0;

  constructor({ kernels, memory }: KernelMemory, index: number, call: number, slot: number) {
    this.kernels = kernels;
    const { integers, floats } = memory;
    this.integers = integers;
    this.floats = floats;
    this.index = index as RecordAddress<typeof SCANN_INDEX>;
    this.call = call as RecordAddress<typeof SCANN_CALL>;
    this.slot = slot;
    const at = call / 4;
    const bytes = (field: number): number => integers[at + field]! >>> 0;
    const scratch = bytes(CALL.scratch) + slot * bytes(CALL.scratchStride);
    const area = (field: number): number => (scratch + bytes(field)) / 4;
    this.keys = area(CALL.areaKeys);
    this.tables = area(CALL.areaTables);
    this.state = area(CALL.areaState);
    this.best = area(CALL.areaBest);
    this.groupIds = area(CALL.areaGroupIds);
    this.slots = area(CALL.areaSlots);
    this.slotScores = area(CALL.areaSlotScores);
    this.scoresOut = bytes(CALL.scoresOut) / 4;
    this.rowsOut = bytes(CALL.rowsOut) / 4;
    this.countsOut = bytes(CALL.countsOut) / 4;
    this.countersOut = bytes(CALL.countersOut) / 4;
    const own = (field: number): number => integers[index / 4 + field]! >>> 0;
    this.rowOf = own(INDEX.rowOf) / 4;
    this.placeOf = own(INDEX.placeOf) / 4;
    this.valid = own(INDEX.valid) / 4;
    this.rowBytes = rowBytesOf(own(INDEX.rowKind), own(INDEX.stride));
  }

  /** k. */
  get results(): number {
    return this.integers[this.call / 4 + CALL.results]!;
  }

  /** Candidates that the call reorders. */
  get reorder(): number {
    return this.integers[this.call / 4 + CALL.reorder]!;
  }

  /** True where groups are skipped that cannot hold a result. */
  get isPruned(): boolean {
    return this.floats[this.call / 4 + CALL.pruneBeta]! > 0;
  }

  /** True where candidates are scored exactly. */
  get isReorderedExactly(): boolean {
    return this.integers[this.call / 4 + CALL.reorderExactly] === 1;
  }

  /** Slots that a row may have. */
  get copies(): number {
    return this.integers[this.index / 4 + INDEX.copies]!;
  }

  /** Numbers of four bytes in the tables of a query: 16 bytes for each block. */
  get tableLength(): number {
    const at = this.index / 4;
    return 4 * (this.integers[at + INDEX.productBlocks]! + this.integers[at + INDEX.correctionBlocks]!);
  }

  /** Begin a query here with the tables and the state that the head made. */
  begin(head: Segment, tableLength: number): void {
    copy(head, head.tables, this, this.tables, tableLength);
    copy(head, head.state, this, this.state, STATE_LENGTH);
    this.integers[this.state + STATE.centroids] = 0;
    this.integers[this.state + STATE.leaves] = this.leaves;
  }

  /** Continue the scan of another segment: copy its bound for skipping groups, and the best scores that give it. */
  goOnFrom(other: Segment): void {
    const count = other.integers[other.state + STATE.bestCount]!;
    this.integers[this.state + STATE.theta] = other.integers[other.state + STATE.theta]!;
    this.integers[this.state + STATE.bestCount] = count;
    copy(other, other.best, this, this.best, 2 * count);
  }

  /** Groups scanned so far. */
  get scanned(): number {
    return this.integers[this.state + STATE.scanned]!;
  }
}

/** Copy numbers between memories. They are few, so a loop is faster than views. */
function copy(from: Segment, fromAt: number, to: Segment, toAt: number, length: number): void {
  const { integers: source } = from;
  const { integers: target } = to;
  for (let i = 0; i < length; i++) target[toAt + i] = source[fromAt + i]!;
}
