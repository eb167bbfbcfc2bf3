/**
 * A column of strings in two sections: `text`, all of them one after the other in UTF-8, and `ends`, the byte where each
 * ends (uint32). A string is decoded when it is asked for, so that millions load as fast as they are read.
 *
 * Strings that are not well-formed Unicode (a surrogate without its partner) have no UTF-8; a column with one of them is
 * kept in UTF-16. Limit: 4 GiB of text.
 */
import { hashUnits } from '../columns/hashes.ts';
import { checkTextBytes, PackedTexts, packTexts } from '../columns/packed-texts.ts';
import type { Part } from './part.ts';
import { bytesOf, type SavedSection } from './saved.ts';

/** The encoding of the text. */
export type TextEncoding = 'utf-8' | 'utf-16le';
/** Both encodings, to read one from settings. */
export const TEXT_ENCODINGS: readonly TextEncoding[] = ['utf-8', 'utf-16le'];

/** Ends checked in a step, some tenths of a millisecond. */
const CHECKED_AT_ONCE = 1 << 17;

/** An immutable column of strings. */
export class TextColumn extends PackedTexts {
  readonly encoding: TextEncoding;

  /** @param ends ascending, the last one the length of `text` */
  constructor(encoding: TextEncoding, text: Uint8Array, ends: Uint32Array) {
    super(text, ends);
    this.encoding = encoding;
  }

  override at(row: number): string {
    return this.encoding === 'utf-8' ? super.at(row) : decodeUtf16(this.bytesOf(row));
  }

  override hashAt(row: number): number {
    return this.encoding === 'utf-8' ? super.hashAt(row) : hashUnits(this.at(row));
  }

  override isAt(row: number, text: string): boolean {
    return this.encoding === 'utf-8' ? super.isAt(row, text) : this.at(row) === text;
  }

  /** All strings. */
  toArray(): string[] {
    return Array.from(this.ends, (_, row) => this.at(row));
  }

  /** The two sections. */
  sections(): SavedSection[] {
    return [
      { name: 'text', bytes: this.text },
      { name: 'ends', bytes: bytesOf(this.ends) },
    ];
  }

  /** The same strings in UTF-16. */
  inUtf16(): TextColumn {
    return this.encoding === 'utf-16le' ? this : encodeUtf16(this.toArray());
  }

  /**
   * Encode strings.
   *
   * @throws {OptionError} when they take more than 4 GiB
   */
  static from(values: readonly string[]): TextColumn {
    const packed = packTexts(values);
    return packed ? new TextColumn('utf-8', packed.text, packed.ends) : encodeUtf16(values);
  }
}

/**
 * The sections of columns of one encoding as one column, without encoding any of them again.
 *
 * @param columns at least one
 * @throws {OptionError} when all together take more than 4 GiB
 */
export function joinedSections(columns: readonly TextColumn[]): SavedSection[] {
  let before = 0;
  const ends = columns.map((column) => {
    const from = before;
    before += column.text.length;
    return bytesOf(from === 0 ? column.ends : column.ends.map((end) => from + end));
  });
  checkTextBytes(before);
  return [
    { name: 'text', bytes: columns.map(({ text }) => text) },
    { name: 'ends', bytes: ends },
  ];
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
