/**
 * Reads rows of a segment by position from the file of a bundle (`rows: 'file'` of `loadBundle`). The rows of a query are
 * sorted by offset, and the blocks that hold them are read in as few calls as possible. Blocks that were read are kept
 * in a cache, in which each block has one place. Each thread has its own reader and its own part of the cache.
 *
 * Limits: Node only; a damaged row is not detected unless the device reports it, a file that became shorter is.
 */

/** Bytes of a block: a page of the system's cache. */
export const BLOCK_BYTES = 4_096;
/** Blocks between two needed ones that are read too, because a further call takes longer than they do. */
const GAP_BLOCKS = 2;
/** The most blocks of one read. */
const READ_BLOCKS_MAX = 64;

/** `readSync` of `node:fs`. */
type ReadSync = (descriptor: number, to: Uint8Array, at: number, length: number, position: number) => number;

/** The place of the rows of a segment. */
export interface RowLocation {
  /** A number that no other file and no other segment has had in this process. */
  id: number;
  descriptor: number;
  /** The place of the first row in the file, and the bytes of all rows. */
  offset: number;
  sizeBytes: number;
  cacheBytes: number;
}

/** A read that failed. */
export class RowReadFailure extends Error {
  readonly offset: number;

  constructor(offset: number, reason: string) {
    super(reason);
    this.offset = offset;
  }
}

/** Reads the rows of one segment on one thread. */
export class RowFile {
  readonly #location: RowLocation;
  readonly #readSync: ReadSync;
  readonly #end: number;
  /** The block at each place of the cache; −1 for none. */
  readonly #cached: Int32Array;
  #cache: Uint8Array | undefined;
  readonly #run: Uint8Array = new Uint8Array(READ_BLOCKS_MAX * BLOCK_BYTES);
  #order: Float64Array = new Float64Array(0);
  #reads = 0;

  constructor(location: RowLocation) {
    this.#location = location;
    this.#readSync = readSync();
    this.#end = location.offset + location.sizeBytes;
    this.#cached = new Int32Array(Math.floor(location.cacheBytes / BLOCK_BYTES)).fill(-1);
  }

  /** Calls of the system so far: a work counter for tests. */
  get reads(): number {
    return this.#reads;
  }

  /**
   * Copy the first `count` of `places` to `to`, one row after another.
   *
   * @throws {RowReadFailure} naming the offset at which the file could not be read
   */
  read(places: ArrayLike<number>, count: number, rowBytes: number, to: Uint8Array): void {
    const order = this.#sorted(places, count);
    const { offset } = this.#location;
    const startOf = (i: number): number => offset + places[order[i]! % count]! * rowBytes;
    for (let i = 0; i < count; ) {
      const first = Math.floor(startOf(i) / BLOCK_BYTES);
      let last = Math.floor((startOf(i) + rowBytes - 1) / BLOCK_BYTES);
      let end = i + 1;
      for (; end < count; end++) {
        const start = startOf(end);
        const lastOfRow = Math.floor((start + rowBytes - 1) / BLOCK_BYTES);
        if (Math.floor(start / BLOCK_BYTES) > last + 1 + GAP_BLOCKS || lastOfRow - first >= READ_BLOCKS_MAX) break;
        last = Math.max(last, lastOfRow);
      }
      const bytes = this.#blocks(first, last);
      for (; i < end; i++) {
        const from = startOf(i) - first * BLOCK_BYTES;
        to.set(bytes.subarray(from, from + rowBytes), (order[i]! % count) * rowBytes);
      }
    }
  }

  /** The numbers place · count + i, sorted: i modulo count, in the order of the places. */
  #sorted(places: ArrayLike<number>, count: number): Float64Array {
    if (this.#order.length < count) this.#order = new Float64Array(2 * count);
    const order = this.#order.subarray(0, count);
    for (let i = 0; i < count; i++) order[i] = places[i]! * count + i;
    return order.sort();
  }

  /** The bytes of blocks [first, last], valid until the next call. */
  #blocks(first: number, last: number): Uint8Array {
    const count = last - first + 1;
    const run = count <= READ_BLOCKS_MAX ? this.#run : new Uint8Array(count * BLOCK_BYTES);
    const places = this.#cached.length;
    if (places === 0) {
      this.#readBlocks(first, last, run);
      return run;
    }
    this.#cache ??= new Uint8Array(places * BLOCK_BYTES);
    let isCached = true;
    for (let block = first; block <= last && isCached; block++) {
      const place = block % places;
      isCached = this.#cached[place] === block;
      const at = place * BLOCK_BYTES;
      if (isCached) run.set(this.#cache.subarray(at, at + BLOCK_BYTES), (block - first) * BLOCK_BYTES);
    }
    if (isCached) return run;
    this.#readBlocks(first, last, run);
    for (let block = first; block <= last; block++) {
      const place = block % places;
      const at = (block - first) * BLOCK_BYTES;
      this.#cache.set(run.subarray(at, at + BLOCK_BYTES), place * BLOCK_BYTES);
      this.#cached[place] = block;
    }
    return run;
  }

  #readBlocks(first: number, last: number, to: Uint8Array): void {
    const start = first * BLOCK_BYTES;
    const length = Math.min(this.#end, (last + 1) * BLOCK_BYTES) - start;
    for (let at = 0; at < length; ) {
      let read: number;
      try {
        this.#reads++;
        read = this.#readSync(this.#location.descriptor, to, at, length - at, start + at);
      } catch (error) {
        throw new RowReadFailure(start + at, String((error as { code?: unknown }).code ?? error));
      }
      if (read === 0) throw new RowReadFailure(start + at, 'the file ends');
      at += read;
    }
  }
}

/** `readSync` of Node, looked up at run time, so that bundlers do not resolve the module. */
function readSync(): ReadSync {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  return (process!.getBuiltinModule!('node:fs') as { readSync: ReadSync }).readSync;
}

/** Readers that a thread keeps: those of some indexes with as many segments as an index may have. */
const READERS_MAX = 256;
const readers = new Map<number, RowFile>();

/** The reader of this thread for the rows of a segment. */
export function rowFileOf(location: RowLocation): RowFile {
  const known = readers.get(location.id);
  if (known) return known;
  const [oldest] = readers.keys();
  if (readers.size === READERS_MAX) readers.delete(oldest!);
  const file = new RowFile(location);
  readers.set(location.id, file);
  return file;
}
