/** Copies the row numbers of an optimizer step into the linear memory. */
import { Scratch } from '../memory/scratch.ts';
import type { Runtime } from '../parallel/runtime.ts';

/** Rows that a thread claims at a time: some microseconds of arithmetic. */
export const GRAIN_ROWS = 64;

/** Copies row numbers to the linear memory. */
export class RowNumbers {
  readonly #scratch = new WeakMap<Runtime, Scratch>();

  /** Byte offset of a copy of `rows`, valid until the next call. */
  write(rows: Int32Array, runtime: Runtime): number {
    let scratch = this.#scratch.get(runtime);
    if (!scratch) {
      scratch = new Scratch(runtime.heap);
      this.#scratch.set(runtime, scratch);
    }
    const block = scratch.reserve(4 * rows.length);
    block.integers(rows.length).set(rows);
    return block.offset;
  }
}
