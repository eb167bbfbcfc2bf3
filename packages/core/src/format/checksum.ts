/**
 * The checksum of saved bytes: XXH64 of the XXH64 digests of its chunks of 256 KiB.
 *
 * Two levels, so that chunks are hashed on all threads and as they are read. A change within one aligned word of eight
 * bytes always changes the sum (every step of XXH64 is a bijection of that word); any other change is missed with
 * probability 2⁻⁶⁴. It guards against damage, not against forgery.
 */
import { CHECKSUM_KERNELS } from '../kernels/checksum-kernels.ts';
import type { Block } from '../memory/heap.ts';
import type { Runtime } from '../parallel/runtime.ts';

/** Bytes hashed as one: long enough that a digest costs nothing, short enough to share a piece between threads. */
export const CHUNK_BYTES: number = 1 << 18;
/** Most chunks hashed in one job. */
const PIECE_CHUNKS = 32;

/** Hashes one run of bytes after the other; a run may come in any pieces. `free` when done. */
export class Checksum {
  readonly #runtime: Runtime;
  readonly #chunkBytes: number;
  /** One chunk of bytes that are not in the linear memory. */
  readonly #staging: Block;
  readonly #out: Block;
  #staged = 0;
  #digests: bigint[] = [];

  /** @param chunkBytes bytes hashed as one, a multiple of 8; another number gives other checksums */
  constructor(runtime: Runtime, chunkBytes: number = CHUNK_BYTES) {
    this.#runtime = runtime;
    this.#chunkBytes = chunkBytes;
    this.#staging = runtime.heap.allocateUnfilled(chunkBytes);
    this.#out = runtime.heap.allocateUnfilled(8 * PIECE_CHUNKS);
  }

  /** Take the next bytes. Whole chunks that are in the linear memory are hashed in place. */
  update(bytes: Uint8Array): this {
    const chunkBytes = this.#chunkBytes;
    const inPlace = bytes.buffer === this.#runtime.heap.memory.memory.buffer;
    for (let at = 0; at < bytes.length; ) {
      const left = bytes.length - at;
      if (inPlace && this.#staged === 0 && left >= chunkBytes) {
        const chunks = Math.min(PIECE_CHUNKS, Math.floor(left / chunkBytes));
        this.#hash(bytes.byteOffset + at, chunks * chunkBytes, chunkBytes);
        at += chunks * chunkBytes;
      } else {
        const size = Math.min(chunkBytes - this.#staged, left);
        this.#staging.bytes().set(bytes.subarray(at, at + size), this.#staged);
        this.#staged += size;
        at += size;
        if (this.#staged === chunkBytes) this.#flush();
      }
    }
    return this;
  }

  /** The checksum of the bytes since the last call. */
  digest(): bigint {
    this.#flush();
    const digests = BigUint64Array.from(this.#digests);
    this.#digests = [];
    // Not in the staging: more than 8 GiB have more digests than a chunk of bytes holds.
    const block = this.#runtime.heap.allocateUnfilled(digests.byteLength);
    block.bytes().set(new Uint8Array(digests.buffer));
    this.#hash(block.offset, digests.byteLength, digests.byteLength || 1);
    block.free();
    return this.#digests.pop()!;
  }

  /** Give the scratch memory back. */
  free(): void {
    this.#staging.free();
    this.#out.free();
  }

  #flush(): void {
    if (this.#staged > 0) this.#hash(this.#staging.offset, this.#staged, this.#chunkBytes);
    this.#staged = 0;
  }

  #hash(offset: number, sizeBytes: number, chunkBytes: number): void {
    // No bytes are one chunk of length 0.
    const chunks = Math.max(1, Math.ceil(sizeBytes / chunkBytes));
    const pool = this.#runtime.load(CHECKSUM_KERNELS);
    pool.run('hashChunks', chunks, 1, offset, sizeBytes, chunkBytes, this.#out.offset);
    const view = new DataView(this.#out.bytes().buffer, this.#out.offset);
    for (let i = 0; i < chunks; i++) this.#digests.push(view.getBigUint64(8 * i, true));
  }
}

/** The checksum of one run of bytes. */
export function checksumOf(bytes: Uint8Array, runtime: Runtime): bigint {
  const checksum = new Checksum(runtime);
  const digest = checksum.update(bytes).digest();
  checksum.free();
  return digest;
}
