/**
 * The allocator of the linear memory: first fit over a list of free ranges kept in address order and merged on free.
 *
 * Blocks are few and large (tables, candidates, scratch), so the list stays short. A block nobody references any more
 * is given back when the garbage collector notices; `free()` does it at once.
 */
import { assert } from '../checks/assert.ts';
import { LinearMemory, RESERVED_BYTES } from './linear-memory.ts';

/** A cache line: no two blocks share one, and every SIMD load of a block's start is aligned. */
const ALIGNMENT_BYTES = 64;

/** A SIMD load at the end of the last block may reach this far past it. */
const READ_PAST_BYTES = 64;

/** A range of bytes. */
export interface Range {
  offset: number;
  sizeBytes: number;
}

/** A piece of the linear memory. Valid until `free()`. */
export class Block {
  readonly offset: number;
  readonly heap: Heap;
  #sizeBytes: number;
  #live = true;

  constructor(heap: Heap, offset: number, sizeBytes: number) {
    this.heap = heap;
    this.offset = offset;
    this.#sizeBytes = sizeBytes;
  }

  /** Bytes that belong to the block. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Resize the block in place to at least `sizeBytes`; the bytes that it gains have undefined values.
   *
   * @returns false where another block follows directly; the block is then unchanged
   */
  resize(sizeBytes: number): boolean {
    const resized = this.heap.resized(this, sizeBytes);
    if (resized !== undefined) this.#sizeBytes = resized;
    return resized !== undefined;
  }

  /** Give the bytes back. A second call does nothing. */
  free(): void {
    if (!this.#live) return;
    this.#live = false;
    this.heap.release(this);
  }

  /** The block as bytes. */
  bytes(): Uint8Array {
    return new Uint8Array(this.heap.memory.memory.buffer, this.offset, this.sizeBytes);
  }

  /** `length` float32 values from `byteOffset` in the block. */
  floats(length: number, byteOffset = 0): Float32Array {
    return new Float32Array(this.heap.memory.memory.buffer, this.offset + byteOffset, length);
  }

  /** `length` int32 values from `byteOffset` in the block. */
  integers(length: number, byteOffset = 0): Int32Array {
    return new Int32Array(this.heap.memory.memory.buffer, this.offset + byteOffset, length);
  }
}

/** Allocates blocks of one linear memory. */
export class Heap {
  readonly memory: LinearMemory;
  /** Free ranges in address order; no two touch. */
  readonly #free: Range[] = [];
  #end: number = RESERVED_BYTES;
  #usedBytes = 0;
  readonly #collected: FinalizationRegistry<Range> = new FinalizationRegistry((range) => this.#reclaim(range));

  constructor(memory: LinearMemory = new LinearMemory()) {
    this.memory = memory;
  }

  /** Bytes in live blocks. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * A block of at least `sizeBytes`, aligned to 64; its bytes are zero.
   *
   * @throws {MemoryError} when the memory cannot hold it
   */
  allocate(sizeBytes: number): Block {
    return this.#allocate(sizeBytes, true);
  }

  /**
   * A block like that of `allocate` whose bytes have undefined values: write before you read. It takes no time to fill.
   */
  allocateUnfilled(sizeBytes: number): Block {
    return this.#allocate(sizeBytes, false);
  }

  /**
   * Whether blocks of these sizes fit together into the free ranges and below the memory's limit. The system may still
   * refuse the memory.
   *
   * @param instead a block that would be freed first
   */
  canHold(sizes: readonly number[], instead?: Readonly<Range>): boolean {
    const ranges = this.#free.map((range) => ({ ...range }));
    if (instead) insertRange(ranges, instead);
    const last = ranges.at(-1);
    const limit = this.memory.maxBytes - READ_PAST_BYTES;
    // The memory that was never handed out is one more range, joined to the free range before it.
    if (last && last.offset + last.sizeBytes === this.#end) last.sizeBytes = limit - last.offset;
    else ranges.push({ offset: this.#end, sizeBytes: limit - this.#end });
    return sizes.every((size) => {
      const rounded = roundUp(size);
      const range = ranges.find(({ sizeBytes }) => sizeBytes >= rounded);
      if (range) range.sizeBytes -= rounded;
      return range !== undefined;
    });
  }

  /** Called by `Block.resize`: the block's new size; undefined where it cannot grow. */
  resized(block: Block, sizeBytes: number): number | undefined {
    const rounded = roundUp(sizeBytes);
    const { offset } = block;
    const end = offset + block.sizeBytes;
    const more = rounded - block.sizeBytes;
    if (more > 0) {
      const at = this.#free.findIndex((range) => range.offset === end);
      const after = this.#free[at];
      const endsFree = after ? after.offset + after.sizeBytes === this.#end : end === this.#end;
      if (after && after.sizeBytes > more) {
        after.offset += more;
        after.sizeBytes -= more;
      } else if (after?.sizeBytes === more) {
        this.#free.splice(at, 1);
      } else if (endsFree) {
        this.memory.ensure(offset + rounded + READ_PAST_BYTES);
        if (after) this.#free.pop();
        this.#end = offset + rounded;
      } else return undefined;
      this.#usedBytes += more;
    } else if (more < 0) {
      this.#reclaim({ offset: offset + rounded, sizeBytes: -more });
    }
    this.#collected.unregister(block);
    this.#collected.register(block, { offset, sizeBytes: rounded }, block);
    return rounded;
  }

  #allocate(sizeBytes: number, isFilled: boolean): Block {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, `heap: a block of ${sizeBytes} bytes`);
    const rounded = roundUp(sizeBytes);
    const offset = this.#takeFree(rounded, isFilled) ?? this.#takeNew(rounded, isFilled);
    this.#usedBytes += rounded;
    const block = new Block(this, offset, rounded);
    this.#collected.register(block, { offset, sizeBytes: rounded }, block);
    return block;
  }

  /** Called by `Block.free`. */
  release(block: Block): void {
    this.#collected.unregister(block);
    this.#reclaim({ offset: block.offset, sizeBytes: block.sizeBytes });
  }

  #takeFree(sizeBytes: number, isFilled: boolean): number | undefined {
    const at = this.#free.findIndex((range) => range.sizeBytes >= sizeBytes);
    if (at < 0) return undefined;
    const range = this.#free[at]!;
    const { offset } = range;
    range.offset += sizeBytes;
    range.sizeBytes -= sizeBytes;
    if (range.sizeBytes === 0) this.#free.splice(at, 1);
    if (isFilled) this.memory.bytes.fill(0, offset, offset + sizeBytes);
    return offset;
  }

  /** Memory never handed out before is zero already; a free range that ends where it begins is joined to it. */
  #takeNew(sizeBytes: number, isFilled: boolean): number {
    const last = this.#free.at(-1);
    const touches = last !== undefined && last.offset + last.sizeBytes === this.#end;
    const offset = touches ? last.offset : this.#end;
    this.memory.ensure(offset + sizeBytes + READ_PAST_BYTES);
    if (touches) {
      if (isFilled) this.memory.bytes.fill(0, offset, this.#end);
      this.#free.pop();
    }
    this.#end = offset + sizeBytes;
    return offset;
  }

  #reclaim(range: Range): void {
    this.#usedBytes -= range.sizeBytes;
    insertRange(this.#free, range);
  }
}

/** A whole number of cache lines, one at least. */
function roundUp(sizeBytes: number): number {
  return Math.max(ALIGNMENT_BYTES, Math.ceil(sizeBytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES);
}

/** Insert a range into the free ranges, and join it with the ones it touches. */
function insertRange(free: Range[], range: Readonly<Range>): void {
  let at = free.findIndex((other) => other.offset > range.offset);
  if (at < 0) at = free.length;
  const merged: Range = { offset: range.offset, sizeBytes: range.sizeBytes };
  let replaced = 0;
  const after = free[at];
  if (after && range.offset + range.sizeBytes === after.offset) {
    merged.sizeBytes += after.sizeBytes;
    replaced++;
  }
  const before = free[at - 1];
  if (before && before.offset + before.sizeBytes === range.offset) {
    merged.offset = before.offset;
    merged.sizeBytes += before.sizeBytes;
    at--;
    replaced++;
  }
  free.splice(at, replaced, merged);
}
