/**
 * The rows of a segment that stay in a file: reads those of the candidates of a query into the memory of the segment and
 * makes them look like a small index of these candidates alone, which the kernels score as usual.
 *
 * Each thread has a view: an index record, the row number of each candidate, and the rows.
 */
import type { LinearMemory } from '../../memory/linear-memory.ts';
import { SCANN_INDEX } from '../families/scann.ts';
import { type RecordAddress, readRecord, recordBytes, writeRecord } from '../record.ts';
import { type RowFile, type RowLocation, rowFileOf } from './row-file.ts';
import type { Segment } from './segment.ts';

/** Views begin at multiples of a cache line. */
const LINE = 64;

/** The views of a segment: where the first is, the bytes from one to the next, and the rows that each has room for. */
export interface RowViews {
  address: number;
  stride: number;
  capacity: number;
}

/** Bytes of a view. */
export function viewBytes(capacity: number, rowBytes: number): number {
  return aligned(recordBytes(SCANN_INDEX)) + aligned(4 * capacity) + aligned(rowBytes * capacity);
}

/** Write the records of the views of `threads` threads; `index` is the record of the segment. */
export function writeViews(
  memory: LinearMemory,
  index: RecordAddress<typeof SCANN_INDEX>,
  { address, stride, capacity }: RowViews,
  threads: number,
): void {
  const values = readRecord(memory, SCANN_INDEX, index);
  for (let thread = 0; thread < threads; thread++) {
    const view = address + thread * stride;
    const rowOf = view + aligned(recordBytes(SCANN_INDEX));
    writeRecord(memory, SCANN_INDEX, view, { ...values, placeOf: 0, rowOf, rows: rowOf + aligned(4 * capacity) });
  }
}

/** The rows of a segment on one thread. */
export class SegmentRows {
  /** The record of the candidates whose rows were loaded. */
  readonly view: RecordAddress<typeof SCANN_INDEX>;
  /** Rows that can be loaded at a time. */
  readonly capacity: number;
  readonly #file: RowFile;
  readonly #rowOf: number;
  readonly #bytes: Uint8Array;
  readonly #rowBytes: number;
  readonly #places: Int32Array;
  /** The rows of several lists, and the bytes of those that were shown. */
  #read: Uint8Array = new Uint8Array(0);
  #shown = 0;

  constructor(memory: LinearMemory, location: RowLocation, views: RowViews, rowBytes: number, slot: number) {
    const view = views.address + slot * views.stride;
    const rowOf = view + aligned(recordBytes(SCANN_INDEX));
    const rows = rowOf + aligned(4 * views.capacity);
    this.view = view as RecordAddress<typeof SCANN_INDEX>;
    this.capacity = views.capacity;
    this.#file = rowFileOf(location);
    this.#rowOf = rowOf / 4;
    this.#bytes = memory.bytes.subarray(rows, rows + rowBytes * views.capacity);
    this.#rowBytes = rowBytes;
    this.#places = new Int32Array(views.capacity);
  }

  /**
   * Read the rows of the first `count` chosen slots of the segment, and number the slots from 0 on, as the view does.
   *
   * @throws {RowReadFailure} when the file cannot be read
   */
  load({ integers, slots, rowOf, placeOf }: Segment, count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = integers[slots + i]!;
      this.#places[i] = placeOf > 0 ? integers[placeOf + slot]! : slot;
      integers[this.#rowOf + i] = integers[rowOf + slot]!;
      integers[slots + i] = i;
    }
    this.#file.read(this.#places, count, this.#rowBytes, this.#bytes);
  }

  /**
   * Read the rows of several lists of slots of the segment at once. `show` then takes the lists in the same order.
   *
   * @throws {RowReadFailure} when the file cannot be read
   */
  read({ integers, placeOf }: Segment, lists: readonly Int32Array[]): void {
    const count = lists.reduce((sum, { length }) => sum + length, 0);
    const places = new Int32Array(count);
    let at = 0;
    for (const slots of lists) {
      for (const slot of slots) places[at++] = placeOf > 0 ? integers[placeOf + slot]! : slot;
    }
    this.#shown = 0;
    if (this.#read.length < count * this.#rowBytes) this.#read = new Uint8Array(count * this.#rowBytes);
    this.#file.read(places, count, this.#rowBytes, this.#read);
  }

  /** Load the next list of slots whose rows were read, numbered from 0 on, as the view does. */
  show({ integers, slots: to, rowOf }: Segment, slots: Int32Array): void {
    for (let i = 0; i < slots.length; i++) {
      integers[this.#rowOf + i] = integers[rowOf + slots[i]!]!;
      integers[to + i] = i;
    }
    const end = this.#shown + slots.length * this.#rowBytes;
    this.#bytes.set(this.#read.subarray(this.#shown, end));
    this.#shown = end;
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / LINE) * LINE;
}
