/** Divides one block of memory into areas, each of which begins at a new cache line. */

/** Bytes of a cache line. */
export const LINE = 64;

/** A whole number of cache lines. */
export function roundUp(bytes: number): number {
  return Math.ceil(bytes / LINE) * LINE;
}

/** Hands out areas from the start of a block that is allocated afterwards. */
export class MemoryAreas {
  /** Size of the block that holds all areas taken so far. */
  sizeBytes: number = LINE;

  /** Take an area of this many bytes; returns its offset from the start of the block. */
  take(bytes: number): number {
    const at = this.sizeBytes;
    this.sizeBytes += roundUp(bytes) + LINE;
    return at;
  }
}
