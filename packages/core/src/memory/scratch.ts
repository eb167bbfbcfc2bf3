/** Scratch memory that is kept between calls and grows when a call needs more: no allocation on the usual path. */
import type { Block, Heap } from './heap.ts';

/** One growing block; its content does not survive the next `reserve`. */
export class Scratch {
  readonly #heap: Heap;
  #block: Block | undefined;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Bytes held. */
  get sizeBytes(): number {
    return this.#block?.sizeBytes ?? 0;
  }

  /**
   * A block of at least `sizeBytes`, the same one as before where it is large enough.
   *
   * @throws {MemoryError} when the memory cannot hold it; the old block has been given back then
   */
  reserve(sizeBytes: number): Block {
    if (this.#block && this.#block.sizeBytes >= sizeBytes) return this.#block;
    // A failed allocation must not leave the freed block here: the next smaller `reserve` would hand it out.
    this.free();
    this.#block = this.#heap.allocate(sizeBytes);
    return this.#block;
  }

  /** Give the memory back; the next `reserve` takes new. */
  free(): void {
    this.#block?.free();
    this.#block = undefined;
  }
}

/**
 * Calls `take` with `count`, count / 2, count / 4, …, 1 until it finds memory, and returns its result: a call whose scratch for
 * all its queries does not fit computes with less.
 *
 * @param owner gives back what it has taken, before the next try
 * @throws what `take(1)` throws
 */
export function takeFewer<T>(owner: { free(): void }, count: number, take: (count: number) => T): T {
  for (; ; count >>= 1) {
    try {
      return take(count);
    } catch (error) {
      owner.free();
      if (count < 2) throw error;
    }
  }
}
