/** Areas of one block of memory, one after the other, each at a cache line of its own. */

/** Bytes of a cache line. */
export const LINE = 64;

/** Hands out areas from the start of a block that is allocated afterwards. */
export class MemoryAreas {
  /** Size of the block that holds all areas taken so far. */
  sizeBytes: number = LINE;

  /** Offset of an area of so many bytes from the start of the block. */
  take(bytes: number): number {
    const at = this.sizeBytes;
    this.sizeBytes += Math.ceil(bytes / LINE) * LINE + LINE;
    return at;
  }
}
