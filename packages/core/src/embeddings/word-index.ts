/**
 * Distinct words in typed arrays, each under the number of its row: the UTF-8 bytes of all words, the byte where each word
 * ends (4 bytes per word), and a hash table with open addressing (6 bytes per word once compact). A JavaScript map of strings
 * takes some 150 bytes per word.
 *
 * A slot of the table holds a row number + 1 in its low bits and, in the bits that row numbers leave free, bits of the
 * word's hash, by which most other words are told apart without a look at their bytes. A surrogate without its partner is
 * kept as the three bytes that UTF-8 would give its code unit.
 *
 * Limits: 4 GiB of text. The hash is fixed, so words that were chosen to collide make the table slow.
 */
import { shown } from '../checks/numbers.ts';
import { OptionError, VocabularyError } from '../errors/errors.ts';

/** Slots per word in a compact table. With linear probing a word that is there takes 2 looks on average, another 5. */
const SLOTS_PER_WORD = 1.5;
/** 2³² / golden ratio, odd: spreads the hash over the bits that a slot has room for (Knuth, volume 3, section 6.4). */
const SPREAD = 0x9e3779b1;
/** Most bytes of a UTF-16 code unit. */
const BYTES_PER_UNIT_MAX = 3;
const TEXT_BYTES_MAX = 0xffff_ffff;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A growing set of words with row numbers. */
export class WordIndex {
  #text: Uint8Array = new Uint8Array(256);
  #ends: Uint32Array = new Uint32Array(16);
  #size = 0;
  #slots: Int32Array = new Int32Array(24);
  /** The bits of a slot that hold a row number + 1. */
  #rowMask = 31;
  /** The word that was encoded last. */
  #word: Uint8Array = new Uint8Array(64);
  #hasLoneSurrogates = false;
  readonly #decoder: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** Words held. */
  get size(): number {
    return this.#size;
  }

  /** True when a word has a surrogate without its partner, so that the bytes are no UTF-8. */
  get hasLoneSurrogates(): boolean {
    return this.#hasLoneSurrogates;
  }

  /** Bytes of the arrays. */
  get memoryBytes(): number {
    return this.#text.byteLength + this.#ends.byteLength + this.#slots.byteLength + this.#word.byteLength;
  }

  /**
   * An index of words that lie one after the other.
   *
   * @param text their UTF-8 bytes, which the index keeps
   * @param ends ascending, one per word, the last one the length of `text`
   * @throws {VocabularyError} when a word is repeated
   */
  static of(text: Uint8Array, ends: Uint32Array): WordIndex {
    const index = new WordIndex();
    index.#text = text;
    index.#ends = ends;
    index.#size = ends.length;
    index.#rebuild();
    return index;
  }

  /** The row of a word; −1 where it is not held. */
  rowOf(word: string): number {
    const length = this.#encode(word);
    const slot = this.#find(hashBytes(this.#word, 0, length), this.#word, 0, length);
    return (this.#slots[slot]! & this.#rowMask) - 1;
  }

  /**
   * The row of a word, which becomes the last row where it is not held.
   *
   * @throws {OptionError} when all words take more than 4 GiB
   */
  add(word: string): number {
    const length = this.#encode(word);
    const hash = hashBytes(this.#word, 0, length);
    const slot = this.#find(hash, this.#word, 0, length);
    const held = this.#slots[slot]! & this.#rowMask;
    if (held > 0) return held - 1;
    const begin = this.#beginOf(this.#size);
    this.#makeRoom(begin + length);
    // A loop, because a view and a call of `set` cost more than the few bytes of a word.
    for (let i = 0; i < length; i++) this.#text[begin + i] = this.#word[i]!;
    this.#ends[this.#size] = begin + length;
    this.#size++;
    // Only a word with fewer units than bytes can hold a surrogate.
    if (length !== word.length && LONE_SURROGATE.test(word)) this.#hasLoneSurrogates = true;
    if (this.#size * SLOTS_PER_WORD > this.#slots.length) this.#rebuild(2);
    else this.#slots[slot] = this.#slotOf(this.#size, hash);
    return this.#size - 1;
  }

  /** Word `row`. */
  at(row: number): string {
    const bytes = this.#text.subarray(this.#beginOf(row), this.#ends[row]);
    return this.#hasLoneSurrogates ? decodeUnits(bytes) : this.#decoder.decode(bytes);
  }

  /** All words in the order of their rows. */
  *words(): Generator<string, void> {
    for (let row = 0; row < this.#size; row++) yield this.at(row);
  }

  /** Below 0 where word `a` comes before word `b` in the order of their UTF-8 bytes, which is that of code points. */
  compare(a: number, b: number): number {
    const atA = this.#beginOf(a);
    const atB = this.#beginOf(b);
    const lengthA = this.#ends[a]! - atA;
    const lengthB = this.#ends[b]! - atB;
    for (let i = 0; i < lengthA && i < lengthB; i++) {
      const difference = this.#text[atA + i]! - this.#text[atB + i]!;
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  }

  /** Give back the room that the arrays have for more words. */
  compact(): void {
    this.#text = this.#text.slice(0, this.#beginOf(this.#size));
    this.#ends = this.#ends.slice(0, this.#size);
    this.#rebuild();
  }

  /** The bytes of all words and their ends; valid until a word is added. */
  bytes(): { text: Uint8Array; ends: Uint32Array } {
    return { text: this.#text.subarray(0, this.#beginOf(this.#size)), ends: this.#ends.subarray(0, this.#size) };
  }

  #beginOf(row: number): number {
    return row === 0 ? 0 : this.#ends[row - 1]!;
  }

  /** Write the bytes of a word to `#word`; returns their number. */
  #encode(word: string): number {
    if (word.length * BYTES_PER_UNIT_MAX > this.#word.length) this.#word = new Uint8Array(word.length * 4);
    return encodeUnits(word, this.#word);
  }

  /** The slot of a word with this hash, or the free one where it would go. */
  #find(hash: number, bytes: Uint8Array, begin: number, end: number): number {
    const slots = this.#slots;
    const tag = Math.imul(hash, SPREAD) & ~this.#rowMask;
    let slot = slotAt(hash, slots.length);
    for (;;) {
      const held = slots[slot]!;
      if (held === 0) return slot;
      if ((held & ~this.#rowMask) === tag && this.#equals((held & this.#rowMask) - 1, bytes, begin, end)) return slot;
      slot = slot + 1 === slots.length ? 0 : slot + 1;
    }
  }

  #equals(row: number, bytes: Uint8Array, begin: number, end: number): boolean {
    const from = this.#beginOf(row);
    if (this.#ends[row]! - from !== end - begin) return false;
    for (let i = begin; i < end; i++) if (this.#text[from + i - begin] !== bytes[i]) return false;
    return true;
  }

  #slotOf(rowAfter: number, hash: number): number {
    return (Math.imul(hash, SPREAD) & ~this.#rowMask) | rowAfter;
  }

  #makeRoom(textBytes: number): void {
    if (textBytes > TEXT_BYTES_MAX) throw new OptionError(`words: expected at most 4 GiB, got ${textBytes} bytes`);
    if (textBytes > this.#text.length) {
      const larger = new Uint8Array(Math.min(TEXT_BYTES_MAX, Math.max(textBytes, 2 * this.#text.length)));
      larger.set(this.#text);
      this.#text = larger;
    }
    if (this.#size === this.#ends.length) {
      const more = new Uint32Array(2 * this.#ends.length + 16);
      more.set(this.#ends);
      this.#ends = more;
    }
  }

  /** Make the table anew, with `spare` times the slots that the words need. */
  #rebuild(spare = 1): void {
    // One slot stays free, because a search ends at a free slot.
    this.#slots = new Int32Array(Math.ceil(this.#size * SLOTS_PER_WORD * spare) + 8);
    this.#rowMask = 2 ** Math.ceil(Math.log2(this.#slots.length + 1)) - 1;
    for (let row = 0; row < this.#size; row++) {
      const begin = this.#beginOf(row);
      const end = this.#ends[row]!;
      const hash = hashBytes(this.#text, begin, end);
      const slot = this.#find(hash, this.#text, begin, end);
      if (this.#slots[slot] !== 0) throw repeatedWord(this.at(row), row);
      this.#slots[slot] = this.#slotOf(row + 1, hash);
    }
  }
}

/** The error about a word that a vocabulary has twice. */
export function repeatedWord(word: string, position: number): VocabularyError {
  return new VocabularyError(`vocabulary: expected distinct words, got ${shown(word)} again at position ${position}`);
}

const scratch = { bytes: new Uint8Array(1024) };

/** A hash of a word, 32 bits, unsigned. Files depend on it: hashed ids and out-of-vocabulary rows are made of it. */
export function hashWord(word: string): number {
  if (word.length * BYTES_PER_UNIT_MAX > scratch.bytes.length) scratch.bytes = new Uint8Array(word.length * 4);
  return hashBytes(scratch.bytes, 0, encodeUnits(word, scratch.bytes));
}

/** FNV-1a over 32 bits and the finalizer of MurmurHash3, because the high bits of FNV-1a of short words hardly differ. */
function hashBytes(bytes: Uint8Array, begin: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = begin; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A slot for a hash, uniform over any number of slots (Lemire's multiplication instead of a remainder). */
function slotAt(hash: number, slots: number): number {
  return Math.floor((hash * slots) / 0x1_0000_0000);
}

/** Write the bytes of a word; returns their number. A surrogate without a partner gets the three bytes of its code unit. */
function encodeUnits(word: string, out: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < word.length; i++) {
    let point = word.charCodeAt(i);
    if (point < 0x80) {
      out[length++] = point;
      continue;
    }
    if (point >= 0xd800 && point <= 0xdfff) {
      point = word.codePointAt(i)!;
      if (point > 0xffff) i++;
    }
    if (point < 0x800) {
      out[length++] = 0xc0 | (point >> 6);
    } else {
      if (point < 0x1_0000) out[length++] = 0xe0 | (point >> 12);
      else {
        out[length++] = 0xf0 | (point >> 18);
        out[length++] = 0x80 | ((point >> 12) & 0x3f);
      }
      out[length++] = 0x80 | ((point >> 6) & 0x3f);
    }
    out[length++] = 0x80 | (point & 0x3f);
  }
  return length;
}

/** The word of bytes that `encodeUnits` wrote; a TextDecoder would replace lone surrogates. */
function decodeUnits(bytes: Uint8Array): string {
  let word = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at++]!;
    const more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    // The first byte holds 7 bits of the code point, or 6 − the number of the bytes that follow.
    let point = more === 0 ? first : first & (0x3f >> more);
    for (let i = 0; i < more; i++) point = (point << 6) | (bytes[at++]! & 0x3f);
    word += String.fromCodePoint(point);
  }
  return word;
}
