/** The state shared by the phases of a ScaNN search: the memory, and the records of the index and of the call as values. */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { SCANN_CALL, SCANN_INDEX } from '../families/scann.ts';
import { type RecordAddress, type RecordValues, readRecord } from '../record.ts';

/** Points in a group of codes. */
export const GROUP = 32;

/** A score and the number of the leaf, slot or row that has it. */
export interface Scored {
  score: number;
  row: number;
}

/** A call on an index. */
export interface ScannSearchCall {
  memory: LinearMemory;
  index: RecordValues<typeof SCANN_INDEX>;
  call: RecordValues<typeof SCANN_CALL>;
  /** The float32 and the int32 number `at` of the array at a byte offset. */
  float(offset: number, at?: number): number;
  integer(offset: number, at?: number): number;
}

/** The call that two records describe. */
export function readCall(
  memory: LinearMemory,
  index: RecordAddress<typeof SCANN_INDEX>,
  call: RecordAddress<typeof SCANN_CALL>,
): ScannSearchCall {
  // The views are read once per call, because each read checks the size of the memory, which takes longer than the sums
  // here.
  const { floats, integers } = memory;
  return {
    memory,
    index: readRecord(memory, SCANN_INDEX, index),
    call: readRecord(memory, SCANN_CALL, call),
    float: (offset, at = 0) => floats[offset / 4 + at]!,
    integer: (offset, at = 0) => integers[offset / 4 + at]!,
  };
}

/** True where groups are skipped that cannot hold a result. */
export function isPruned({ call }: ScannSearchCall): boolean {
  return call.pruneBeta > 0;
}

/** Score descending, ties by number ascending. */
export function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || a.row - b.row;
}

/** Round half to even, as the processor does. */
export function nearest(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/** |values|, summed in float32. */
export function norm(values: ArrayLike<number>): number {
  const { fround, sqrt } = Math;
  let square = 0;
  for (let t = 0; t < values.length; t++) square = fround(square + fround(values[t]! * values[t]!));
  return fround(sqrt(square));
}

/** The bits of each group that a query may return. */
export function allowedBits({ call, integer }: ScannSearchCall, item: number): (group: number) => number {
  const { filter, exclusionBegin, exclusions } = call;
  const excluded = new Map<number, number>();
  if (exclusionBegin) {
    for (let e = integer(exclusionBegin, item); e < integer(exclusionBegin, item + 1); e++) {
      const slot = integer(exclusions, e);
      excluded.set(slot >> 5, (excluded.get(slot >> 5) ?? 0) | (1 << (slot & 31)));
    }
  }
  return (group) => (filter ? integer(filter, group) : -1) & ~(excluded.get(group) ?? 0);
}
