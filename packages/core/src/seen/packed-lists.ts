/**
 * Lists of codes packed into bytes, one list after the other. A code is in LEB128: seven bits per byte, the least
 * significant first, with the high bit set in all bytes but the last. A code below 128 takes one byte, one below 16,384
 * two.
 *
 * Limit: 4 GiB of all lists together, because the end of each list is a uint32.
 */
import { OptionError } from '../errors/errors.ts';
import type { Part } from '../format/part.ts';
import { bytesOf, type SavedSection } from '../format/saved.ts';

/** The most bytes of a code below 2³². */
const CODE_BYTES_MAX = 5;
const CONTINUES = 0x80;
/** Bytes checked in a step, some tenths of a millisecond. */
const CHECKED_AT_ONCE = 1 << 17;
const SIZE_BYTES_MAX = 0xffff_ffff;

/** An immutable list of lists. */
export class PackedLists {
  readonly #bytes: Uint8Array;
  /** The end of each list in `#bytes`, exclusive. */
  readonly #ends: Uint32Array;

  /** @param ends ascending, the last one the length of `bytes` */
  constructor(bytes: Uint8Array, ends: Uint32Array) {
    this.#bytes = bytes;
    this.#ends = ends;
  }

  /** The number of lists. */
  get length(): number {
    return this.#ends.length;
  }

  /** Bytes of codes and ends. */
  get sizeBytes(): number {
    return this.#bytes.byteLength + this.#ends.byteLength;
  }

  /** The codes of list `row`, in their order. */
  list(row: number): number[] {
    const codes: number[] = [];
    const end = this.#ends[row]!;
    for (let at = this.#begin(row); at < end; ) {
      let code = 0;
      let scale = 1;
      // Codes are multiplied and not shifted, because a shift would turn the 32nd bit into a sign.
      for (; this.#bytes[at]! >= CONTINUES; at++, scale *= CONTINUES) code += (this.#bytes[at]! - CONTINUES) * scale;
      codes.push(code + this.#bytes[at++]! * scale);
    }
    return codes;
  }

  /**
   * Pack lists.
   *
   * @throws {OptionError} when they take more than 4 GiB
   */
  static from(lists: readonly ArrayLike<number>[]): PackedLists {
    let sizeBytes = 0;
    const ends = Uint32Array.from(lists, (list) => {
      for (let i = 0; i < list.length; i++) sizeBytes += codeBytes(list[i]!);
      return sizeBytes;
    });
    checkSize(sizeBytes);
    const bytes = new Uint8Array(sizeBytes);
    let at = 0;
    for (const list of lists) {
      for (let i = 0; i < list.length; i++) {
        let code = list[i]!;
        for (; code >= CONTINUES; code = Math.floor(code / CONTINUES)) bytes[at++] = (code % CONTINUES) + CONTINUES;
        bytes[at++] = code;
      }
    }
    return new PackedLists(bytes, ends);
  }

  /**
   * The sections `lists` and `ends` of these lists, with some lists replaced and some added at the end. Unchanged lists
   * are not copied.
   *
   * @param changed the replaced and added lists by row; it has every row from `length` to `rows`
   * @throws {OptionError} when all together take more than 4 GiB
   */
  sectionsWith(changed: ReadonlyMap<number, Iterable<number>>, rows: number): SavedSection[] {
    const changedRows = [...changed.keys()].sort((a, b) => a - b);
    const packed = PackedLists.from(changedRows.map((row) => [...changed.get(row)!]));
    const pieces: Uint8Array[] = [];
    const ends = new Uint32Array(rows);
    let sizeBytes = 0;
    let row = 0;
    const keepTo = (end: number): void => {
      const begin = this.#begin(row);
      for (const offset = sizeBytes - begin; row < end; row++) ends[row] = offset + this.#ends[row]!;
      const piece = this.#bytes.subarray(begin, this.#begin(end));
      pieces.push(piece);
      sizeBytes += piece.length;
    };
    changedRows.forEach((changedRow, i) => {
      keepTo(changedRow);
      const piece = packed.#bytes.subarray(packed.#begin(i), packed.#ends[i]!);
      pieces.push(piece);
      sizeBytes += piece.length;
      ends[row++] = sizeBytes;
    });
    keepTo(rows);
    checkSize(sizeBytes);
    return [
      { name: 'lists', bytes: pieces },
      { name: 'ends', bytes: bytesOf(ends) },
    ];
  }

  /**
   * Load the sections of `rows` lists that have `count` codes below `codeCount`. @throws {FormatError} when they do not
   */
  static load(part: Part, rows: number, count: number, codeCount: number): PackedLists {
    const bytes = part.bytes('lists');
    const endBytes = part.bytes('ends', 4 * rows);
    const ends = new Uint32Array(endBytes.buffer, endBytes.byteOffset, rows);
    part.checkLater(checkLists(part, bytes, ends, count, codeCount));
    return new PackedLists(bytes, ends);
  }

  #begin(row: number): number {
    const behind = Math.min(row, this.#ends.length);
    return behind === 0 ? 0 : this.#ends[behind - 1]!;
  }
}

function codeBytes(code: number): number {
  let bytes = 1;
  for (let limit = CONTINUES; code >= limit; limit *= CONTINUES) bytes++;
  return bytes;
}

function checkSize(sizeBytes: number): void {
  if (sizeBytes > SIZE_BYTES_MAX) throw new OptionError(`seen items: expected at most 4 GiB, got ${sizeBytes} bytes`);
}

function* checkLists(
  part: Part,
  bytes: Uint8Array,
  ends: Uint32Array,
  count: number,
  codeCount: number,
): Generator<void, void> {
  let at = 0;
  let found = 0;
  for (let row = 0, checked = 0; row < ends.length; row++) {
    const end = ends[row]!;
    if (end < at || end > bytes.length) {
      throw part.error('ends', `expected ascending ends up to ${bytes.length}, got ${end} in row ${row}`);
    }
    for (; at < end; found++) {
      const begin = at;
      let code = 0;
      for (
        let scale = 1;
        at < end && bytes[at]! >= CONTINUES && at - begin < CODE_BYTES_MAX;
        at++, scale *= CONTINUES
      ) {
        code += (bytes[at]! - CONTINUES) * scale;
      }
      if (at === end || at - begin === CODE_BYTES_MAX) {
        throw part.error('lists', `expected whole codes, got an unfinished one in row ${row}`);
      }
      code += bytes[at]! * CONTINUES ** (at - begin);
      at++;
      if (code >= codeCount) throw part.error('lists', `expected codes below ${codeCount}, got ${code} in row ${row}`);
      if (++checked % CHECKED_AT_ONCE === 0) yield;
    }
    if (++checked % CHECKED_AT_ONCE === 0) yield;
  }
  if (at !== bytes.length) throw part.error('lists', `expected ${at} bytes as the last list ends, got ${bytes.length}`);
  if (found !== count) throw part.error('lists', `expected ${count} codes as the settings say, got ${found}`);
}
