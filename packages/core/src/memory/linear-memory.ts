/**
 * A linear memory that kernels, worker threads and matrices share, with typed views over it. A runtime has one. An index
 * in segments (`segmentsOf`, `indexStreamed`) has one more for each segment (docs/decisions/segments.md).
 *
 * The memory is shared (SharedArrayBuffer), so worker threads compute in place and growing never detaches a view.
 * Layout: the first RESERVED_BYTES belong to the compiled kernels' constants and the worker pool's control block;
 * the heap (heap.ts) owns the rest. Limit: 4 GiB each, WebAssembly's 32-bit address space.
 */
import { assert } from '../checks/assert.ts';
import { MemoryError } from '../errors/errors.ts';

/** WebAssembly's page size. */
export const PAGE_BYTES = 65_536;
/** The most a 32-bit WebAssembly memory can have. */
const PAGES_MAX = 65_536;
/** The pages the kernels were compiled to start with (scripts/build.mjs, --initialMemory). */
const PAGES_MIN = 16;

/** Bytes at the start that the heap never hands out: kernel constants from 1,024, the control block from 32,768. */
export const RESERVED_BYTES: number = PAGE_BYTES;
/** Byte offset of the worker pool's control block. */
export const CONTROL_OFFSET: number = 32_768;

/** A shared WebAssembly memory with cached views. */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  /** The most bytes that the memory can have. */
  readonly maxBytes: number = PAGES_MAX * PAGE_BYTES;
  #bytes: Uint8Array;
  #floats: Float32Array;
  #integers: Int32Array;

  /** @throws {MemoryError} when the system gives no address space for the memory to grow in */
  constructor(memory: WebAssembly.Memory = reserved()) {
    this.memory = memory;
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#floats = new Float32Array(this.memory.buffer);
    this.#integers = new Int32Array(this.memory.buffer);
  }

  /** Bytes the memory has now. */
  get sizeBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** The whole memory as bytes. */
  get bytes(): Uint8Array {
    if (this.#bytes.byteLength !== this.memory.buffer.byteLength) this.#renew();
    return this.#bytes;
  }

  /** The whole memory as float32; index = byte offset / 4. */
  get floats(): Float32Array {
    if (this.#floats.byteLength !== this.memory.buffer.byteLength) this.#renew();
    return this.#floats;
  }

  /** The whole memory as int32; index = byte offset / 4. */
  get integers(): Int32Array {
    if (this.#integers.byteLength !== this.memory.buffer.byteLength) this.#renew();
    return this.#integers;
  }

  /**
   * Grow until `endBytes` fit.
   *
   * @throws {MemoryError} past 4 GiB or when the system refuses
   */
  ensure(endBytes: number): void {
    const missing = endBytes - this.sizeBytes;
    if (missing <= 0) return;
    try {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch {
      throw new MemoryError(
        `linear memory: expected at most ${PAGES_MAX * PAGE_BYTES} bytes in all, got a need of ${endBytes} ` +
          `(${this.sizeBytes} are held now)`,
      );
    }
    this.#renew();
  }

  /**
   * Renew the views unless they reach `endBytes`, a size that another thread has given to the memory. The buffer of a
   * thread follows the growth of a shared memory only some time later, and writes past its end are dropped silently.
   */
  reach(endBytes: number): void {
    if (this.#integers.byteLength >= endBytes) return;
    // Growing by nothing renews the buffer of this thread (WebAssembly/threads, issue 234).
    this.memory.grow(0);
    this.#renew();
    const reached = this.#integers.byteLength;
    assert(reached >= endBytes, `linear memory: a thread sees ${reached} of ${endBytes} bytes`);
  }

  /** Views of a shared memory stay valid when it grows, but do not reach the new part. */
  #renew(): void {
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#floats = new Float32Array(this.memory.buffer);
    this.#integers = new Int32Array(this.memory.buffer);
  }
}

function reserved(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: PAGES_MIN, maximum: PAGES_MAX, shared: true });
  } catch {
    // V8 reserves up to 10 GiB for a memory of 4.
    throw new MemoryError('linear memory: expected 10 GiB of address space, got less');
  }
}
