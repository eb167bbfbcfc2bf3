/**
 * Decompresses LZ4 frames, with which pyarrow and pandas compress Feather and Arrow files. Source: LZ4 frame format 1.6.2 and
 * LZ4 block format. hyparquet-compressors, which is used for Parquet, reads only single blocks.
 * Checksums of blocks and content are skipped; the reader of Arrow checks the lengths.
 */
import { DataError } from 'shortlist';

const MAGIC = 0x184d2204;
const UNCOMPRESSED = 0x80000000;
/** The length of the shortest match, which is subtracted from lengths in tokens. */
const MATCH_MIN = 4;

/**
 * The bytes of a frame, or of several one after another.
 *
 * @throws {DataError} when the bytes are not a frame or are damaged
 */
export function decompressLz4Frame(input: Uint8Array): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = new Output(input.length * 4);
  let at = 0;
  try {
    while (at < input.length) {
      if (view.getUint32(at, true) !== MAGIC) throw new RangeError('no frame');
      const flags = input[at + 4]!;
      const hasContentSize = (flags & 8) !== 0;
      const hasDictionary = (flags & 1) !== 0;
      at += 7 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0);
      for (let size = view.getUint32(at, true); size !== 0; size = view.getUint32(at, true)) {
        const length = size & ~UNCOMPRESSED;
        const block = input.subarray(at + 4, at + 4 + length);
        if (block.length < length) throw new RangeError('cut off');
        if (size >>> 31 === 1) output.append(block);
        else decompressBlock(block, output);
        at += 4 + length + (flags & 16 ? 4 : 0);
      }
      at += 4 + (flags & 4 ? 4 : 0);
    }
  } catch {
    throw new DataError(`LZ4: expected a frame, got damaged bytes at ${at}`);
  }
  return output.bytes();
}

/** A growing buffer that can repeat its own bytes. */
class Output {
  #bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(Math.max(64, capacity));
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Append `length` bytes that begin `distance` bytes before the end; source and target may overlap. */
  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.length) throw new RangeError('a match before the start');
    this.#reserve(length);
    const bytes = this.#bytes;
    if (distance >= length) bytes.copyWithin(this.length, this.length - distance, this.length - distance + length);
    else for (let i = this.length; i < this.length + length; i++) bytes[i] = bytes[i - distance]!;
    this.length += length;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.length + more, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

function decompressBlock(block: Uint8Array, output: Output): void {
  let at = 0;
  const extended = (length: number): number => {
    if (length !== 15) return length;
    let total = length;
    for (let byte = 255; byte === 255; ) {
      byte = block[at++] ?? Number.NaN;
      total += byte;
    }
    if (Number.isNaN(total)) throw new RangeError('cut off');
    return total;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = extended(token >> 4);
    if (at + literals > block.length) throw new RangeError('cut off');
    output.append(block.subarray(at, at + literals));
    at += literals;
    // The last sequence of a block has literals only.
    if (at === block.length) return;
    if (at + 2 > block.length) throw new RangeError('cut off');
    const distance = block[at]! | (block[at + 1]! << 8);
    at += 2;
    output.repeat(distance, extended(token & 15) + MATCH_MIN);
  }
}
