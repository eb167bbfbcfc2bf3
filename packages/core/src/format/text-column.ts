/**
 * A column of strings in two sections: `text`, all of them one after the other in UTF-8, and `ends`, the byte where each
 * ends (uint32). A string is decoded when it is asked for, so that millions load as fast as they are read.
 *
 * Strings that are not well-formed Unicode (a surrogate without its partner) have no UTF-8; a column with one of them is
 * kept in UTF-16. Limit: 4 GiB of text.
 */
import { OptionError } from '../errors/errors.ts';
import type { Part } from './part.ts';
import { bytesOf, type SavedSection } from './saved.ts';

/** The encoding of the text. */
export type TextEncoding = 'utf-8' | 'utf-16le';
/** Both encodings, to read one from settings. */
export const TEXT_ENCODINGS: readonly TextEncoding[] = ['utf-8', 'utf-16le'];

/** Strings encoded at a time: enough to make a call of the encoder cheap. */
const BATCH = 1024;
/** Ends checked in a step, some tenths of a millisecond. */
const CHECKED_AT_ONCE = 1 << 17;
/** The number of decoded strings that are kept, because popular strings are in many results. */
const RECENT = 4096;
/** Most UTF-8 bytes of a UTF-16 code unit. */
const UTF8_BYTES_MAX = 3;

/** An immutable column of strings. */
export class TextColumn {
  readonly encoding: TextEncoding;
  readonly #text: Uint8Array;
  readonly #ends: Uint32Array;
  readonly #recentRows: Int32Array = new Int32Array(RECENT).fill(-1);
  readonly #recent: string[] = [];
  readonly #decoder: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** @param ends ascending, the last one the length of `text` */
  constructor(encoding: TextEncoding, text: Uint8Array, ends: Uint32Array) {
    this.encoding = encoding;
    this.#text = text;
    this.#ends = ends;
  }

  /** Strings held. */
  get length(): number {
    return this.#ends.length;
  }

  /** String `row`. */
  at(row: number): string {
    const place = row % RECENT;
    if (this.#recentRows[place] === row) return this.#recent[place]!;
    const text = this.#decode(row);
    this.#recentRows[place] = row;
    this.#recent[place] = text;
    return text;
  }

  #decode(row: number): string {
    const begin = row === 0 ? 0 : this.#ends[row - 1]!;
    const bytes = this.#text.subarray(begin, this.#ends[row]);
    return this.encoding === 'utf-8' ? this.#decoder.decode(bytes) : decodeUtf16(bytes);
  }

  /** A hash of the bytes of string `row`. */
  hashAt(row: number): number {
    return hashBytes(this.#text, row === 0 ? 0 : this.#ends[row - 1]!, this.#ends[row]!);
  }

  /** The hash that `text` has in this column. A text that its encoding cannot hold has some hash, and no row. */
  hashOf(text: string): number {
    if (this.encoding === 'utf-16le') return encodeUtf16([text]).hashAt(0);
    const bytes = new TextEncoder().encode(text);
    return hashBytes(bytes, 0, bytes.length);
  }

  /** All strings. */
  toArray(): string[] {
    return Array.from(this.#ends, (_, row) => this.#decode(row));
  }

  /** The two sections. */
  sections(): SavedSection[] {
    return [
      { name: 'text', bytes: this.#text },
      { name: 'ends', bytes: bytesOf(this.#ends) },
    ];
  }

  /**
   * The sections of this column and `values` behind it, without encoding this one again; undefined where its encoding
   * cannot hold them.
   *
   * @throws {OptionError} when all together take more than 4 GiB
   */
  sectionsWith(values: readonly string[]): SavedSection[] | undefined {
    const added = this.encoding === 'utf-8' ? encodeUtf8(values) : encodeUtf16(values);
    if (!added) return undefined;
    const before = this.#text.length;
    checkTextBytes(before + added.#text.length);
    return [
      { name: 'text', bytes: [this.#text, added.#text] },
      { name: 'ends', bytes: [bytesOf(this.#ends), bytesOf(added.#ends.map((end) => before + end))] },
    ];
  }

  /**
   * Encode strings.
   *
   * @throws {OptionError} when they take more than 4 GiB
   */
  static from(values: readonly string[]): TextColumn {
    return encodeUtf8(values) ?? encodeUtf16(values);
  }
}

/** Read a column of `size` strings. A function and not a method, so that a bundler leaves it out where nothing is loaded. */
export function loadTextColumn(part: Part, size: number, encoding: TextEncoding): TextColumn {
  const text = part.bytes('text');
  const endBytes = part.bytes('ends', size * 4);
  const ends = new Uint32Array(endBytes.buffer, endBytes.byteOffset, size);
  part.checkLater(checkEnds(part, ends, text.length));
  return new TextColumn(encoding, text, ends);
}

/** Check, in short steps, that `ends` ascend to the length of the text. @throws {FormatError} otherwise */
export function* checkEnds(part: Part, ends: Uint32Array, textBytes: number): Generator<void, void> {
  let before = 0;
  for (let row = 0; row < ends.length; row++) {
    if (ends[row]! < before) throw part.error('ends', `expected ascending ends, got ${ends[row]} in row ${row}`);
    before = ends[row]!;
    if (row % CHECKED_AT_ONCE === 0) yield;
  }
  if (before !== textBytes) throw part.error('ends', `expected the last end to be ${textBytes}, got ${before}`);
}

/** Undefined where a string has no UTF-8. */
function encodeUtf8(values: readonly string[]): TextColumn | undefined {
  const encoder = new TextEncoder();
  const ends = new Uint32Array(values.length);
  let text = new Uint8Array(1024);
  let length = 0;
  const append = (value: string): number => {
    text = withRoom(text, length, value.length * UTF8_BYTES_MAX);
    const { written } = encoder.encodeInto(value, text.subarray(length));
    length += written;
    return written;
  };
  for (let begin = 0; begin < values.length; begin += BATCH) {
    const batch = values.slice(begin, begin + BATCH);
    const joined = batch.join('');
    const before = length;
    if (append(joined) === joined.length) {
      // ASCII: every unit is a byte
      let end = before;
      for (let i = 0; i < batch.length; i++) ends[begin + i] = end += batch[i]!.length;
      continue;
    }
    length = before;
    for (let i = 0; i < batch.length; i++) {
      if (!isWellFormed(batch[i]!)) return undefined;
      append(batch[i]!);
      ends[begin + i] = length;
    }
  }
  return new TextColumn('utf-8', text.slice(0, length), ends);
}

function encodeUtf16(values: readonly string[]): TextColumn {
  const ends = new Uint32Array(values.length);
  let units = 0;
  values.forEach((value, row) => {
    units += value.length;
    ends[row] = 2 * units;
  });
  checkTextBytes(2 * units);
  const text = new Uint8Array(2 * units);
  const view = new DataView(text.buffer);
  let at = 0;
  for (const value of values) {
    for (let i = 0; i < value.length; i++, at += 2) view.setUint16(at, value.charCodeAt(i), true);
  }
  return new TextColumn('utf-16le', text, ends);
}

/** Decoded in a loop, because TextDecoder replaces unpaired surrogates, for which this encoding is used. */
function decodeUtf16(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let value = '';
  for (let at = 0; at + 2 <= bytes.length; at += 2) value += String.fromCharCode(view.getUint16(at, true));
  return value;
}

/** FNV-1a over 32 bits, its high bits folded down: tables take the low ones. */
function hashBytes(bytes: Uint8Array, begin: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = begin; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function withRoom(text: Uint8Array<ArrayBuffer>, length: number, more: number): Uint8Array<ArrayBuffer> {
  if (length + more <= text.length) return text;
  const larger = new Uint8Array(Math.max(length + more, 2 * text.length));
  larger.set(text.subarray(0, length));
  checkTextBytes(length);
  return larger;
}

function checkTextBytes(sizeBytes: number): void {
  if (sizeBytes > 0xffff_ffff) throw new OptionError(`text: expected at most 4 GiB, got ${sizeBytes} bytes`);
}

function isWellFormed(value: string): boolean {
  return !/\p{Surrogate}/u.test(value);
}
