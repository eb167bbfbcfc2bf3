/** Scratch memory that is kept between calls and grows when a call needs more: no allocation on the usual path. */
import type { Block, Heap } from './heap.ts';

/** One growing block; its content does not survive the next `reserve`. */
export class Scratch {
  readonly #heap: Heap;
  #block: Block | undefined;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** A block of at least `sizeBytes`, the same one as before where it is large enough. */
  reserve(sizeBytes: number): Block {
    if (this.#block && this.#block.sizeBytes >= sizeBytes) return this.#block;
    this.#block?.free();
    this.#block = this.#heap.allocate(sizeBytes);
    return this.#block;
  }

  /** Give the memory back; the next `reserve` takes new. */
  free(): void {
    this.#block?.free();
    this.#block = undefined;
  }
}
