/**
 * Distinct words in typed arrays, each under the number of its row: the UTF-8 bytes of all words, the byte where each word
 * ends (4 bytes per word), and a hash table (columns/hash-slots.ts, 6 bytes per word once compact). A JavaScript map of
 * strings takes some 150 bytes per word. A surrogate without its partner is kept as the three bytes that UTF-8 would give
 * its code unit.
 *
 * Limits: 4 GiB of text. The hash is fixed, so words that were chosen to collide make the table slow.
 */
import { shown } from '../checks/numbers.ts';
import { HashSlots } from '../columns/hash-slots.ts';
import { BYTES_PER_UNIT_MAX, decodeUnits, encodeUnits, hashBytes } from '../columns/text-bytes.ts';
import { OptionError, VocabularyError } from '../errors/errors.ts';

const TEXT_BYTES_MAX = 0xffff_ffff;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A growing set of words with row numbers. */
export class WordIndex {
  #text: Uint8Array = new Uint8Array(256);
  #ends: Uint32Array = new Uint32Array(16);
  #size = 0;
  #slots: HashSlots = new HashSlots(16);
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
    return this.#text.byteLength + this.#ends.byteLength + this.#slots.memoryBytes + this.#word.byteLength;
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
    return this.#slots.rowAt(slot);
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
    const held = this.#slots.rowAt(slot);
    if (held >= 0) return held;
    const begin = this.#beginOf(this.#size);
    this.#makeRoom(begin + length);
    // A loop, because a view and a call of `set` cost more than the few bytes of a word.
    for (let i = 0; i < length; i++) this.#text[begin + i] = this.#word[i]!;
    this.#ends[this.#size] = begin + length;
    this.#size++;
    // Only a word with fewer units than bytes can hold a surrogate.
    if (length !== word.length && LONE_SURROGATE.test(word)) this.#hasLoneSurrogates = true;
    if (this.#size > this.#slots.capacity) this.#rebuild(2);
    else this.#slots.put(slot, this.#size - 1, hash);
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
    for (let slot = this.#slots.first(hash); ; slot = this.#slots.next(slot, hash)) {
      const row = this.#slots.rowAt(slot);
      if (row < 0 || this.#equals(row, bytes, begin, end)) return slot;
    }
  }

  #equals(row: number, bytes: Uint8Array, begin: number, end: number): boolean {
    const from = this.#beginOf(row);
    if (this.#ends[row]! - from !== end - begin) return false;
    for (let i = begin; i < end; i++) if (this.#text[from + i - begin] !== bytes[i]) return false;
    return true;
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

  /** Make the table anew, with room for `spare` times the words. */
  #rebuild(spare = 1): void {
    this.#slots = new HashSlots(this.#size * spare);
    for (let row = 0; row < this.#size; row++) {
      const begin = this.#beginOf(row);
      const end = this.#ends[row]!;
      const hash = hashBytes(this.#text, begin, end);
      const slot = this.#find(hash, this.#text, begin, end);
      if (this.#slots.rowAt(slot) >= 0) throw repeatedWord(this.at(row), row);
      this.#slots.put(slot, row, hash);
    }
  }
}

/** The error about a word that a vocabulary has twice. */
export function repeatedWord(word: string, position: number): VocabularyError {
  return new VocabularyError(`vocabulary: expected distinct words, got ${shown(word)} again at position ${position}`);
}
