/**
 * A vocabulary that grows. It maps texts to codes, which are numbered from 0 in the order of first appearance, and back.
 *
 * It is a hash table with open addressing; the UTF-16 units of all texts are in one array. A million identifiers of eight
 * letters take 39 MB. A Map of strings would take more than 100 MB, keep whole chunks of the file alive (a substring in V8
 * refers to its parent), and hold at most 2^24 entries. Small whole numbers, which most identifiers are, are looked up in a
 * separate table.
 */
import { DataError } from 'shortlist';

/** The table grows when more than this share of its slots is used: long probe sequences would cost more than the memory. */
const LOAD_MAX = 0.6;
const EMPTY = -1;
/** Whole numbers below this are in the table of numbers, which takes at most 16 MB. */
const NUMBERS_BELOW = 1 << 22;
const CODES_MAX = 2 ** 30;

/** A dictionary of texts and their codes. */
export class TextDictionary {
  #byNumber = new Int32Array(0);
  #slots = new Int32Array(1 << 10).fill(EMPTY);
  #hashes = new Int32Array(1 << 9);
  #ends = new Float64Array(1 << 9);
  #units = new Uint16Array(1 << 12);
  #size = 0;
  #used = 0;

  /** The number of distinct texts. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of memory. */
  get sizeBytes(): number {
    const { byteLength } = this.#byNumber;
    return (
      byteLength + this.#slots.byteLength + this.#hashes.byteLength + this.#ends.byteLength + this.#units.byteLength
    );
  }

  /** The code of a text; a new code if the text is new. */
  add(text: string): number {
    const number = smallNumber(text);
    if (number < 0) return this.#addText(text);
    if (number >= this.#byNumber.length) {
      const length = Math.min(NUMBERS_BELOW, Math.max(1 << 10, 2 * number));
      this.#byNumber = grown(this.#byNumber, new Int32Array(length).fill(EMPTY));
    }
    let code = this.#byNumber[number]!;
    if (code === EMPTY) {
      code = this.#addText(text);
      this.#byNumber[number] = code;
    }
    return code;
  }

  #addText(text: string): number {
    const hash = hashOf(text);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let code = this.#slots[slot]!; code !== EMPTY; code = this.#slots[slot]!) {
      if (this.#hashes[code] === hash && this.#equals(code, text)) return code;
      slot = (slot + 1) & mask;
    }
    return this.#append(text, hash, slot);
  }

  /** The code of a text; -1 if it is unknown. */
  codeOf(text: string): number {
    const hash = hashOf(text);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const code = this.#slots[slot]!;
      if (code === EMPTY || (this.#hashes[code] === hash && this.#equals(code, text))) return code;
    }
  }

  /** The text of a code. */
  textOf(code: number): string {
    const begin = code === 0 ? 0 : this.#ends[code - 1]!;
    const end = this.#ends[code]!;
    // A call can have only a limited number of arguments; longer identifiers are rare.
    if (end - begin > 4096) return Buffer.from(this.#units.buffer, begin * 2, (end - begin) * 2).toString('utf16le');
    return Reflect.apply(String.fromCharCode, undefined, this.#units.subarray(begin, end));
  }

  /** All texts in the order of their codes. */
  texts(): string[] {
    return Array.from({ length: this.#size }, (_, code) => this.textOf(code));
  }

  #equals(code: number, text: string): boolean {
    const begin = code === 0 ? 0 : this.#ends[code - 1]!;
    if (this.#ends[code]! - begin !== text.length) return false;
    const units = this.#units;
    for (let i = 0; i < text.length; i++) {
      if (units[begin + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  #append(text: string, hash: number, slot: number): number {
    const code = this.#size;
    if (code === CODES_MAX)
      throw new DataError(`identifiers: expected at most ${CODES_MAX} distinct identifiers, got more`);
    if (code === this.#hashes.length) {
      this.#hashes = grown(this.#hashes, new Int32Array(2 * code));
      this.#ends = grown(this.#ends, new Float64Array(2 * code));
    }
    const end = this.#used + text.length;
    if (end > this.#units.length) {
      this.#units = grown(this.#units, new Uint16Array(Math.max(end, Math.ceil(1.5 * this.#units.length))));
    }
    for (let i = 0; i < text.length; i++) this.#units[this.#used + i] = text.charCodeAt(i);
    this.#used = end;
    this.#hashes[code] = hash;
    this.#ends[code] = end;
    this.#slots[slot] = code;
    this.#size++;
    if (this.#size > LOAD_MAX * this.#slots.length) this.#rehash();
    return code;
  }

  #rehash(): void {
    const slots = new Int32Array(2 * this.#slots.length).fill(EMPTY);
    const mask = slots.length - 1;
    for (let code = 0; code < this.#size; code++) {
      let slot = this.#hashes[code]! & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = code;
    }
    this.#slots = slots;
  }
}

function grown<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}

/** Parses a whole number below the limit, written without leading zeros; −1 for any other text. */
function smallNumber(text: string): number {
  const { length } = text;
  if (length > 7 || length === 0) return EMPTY;
  let number = 0;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return EMPTY;
    number = number * 10 + digit;
  }
  return number >= NUMBERS_BELOW || (length > 1 && text.charCodeAt(0) === 48) ? EMPTY : number;
}

/** FNV-1a over UTF-16 units with the finalizer of MurmurHash3, which spreads consecutive numbers over the whole table. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
