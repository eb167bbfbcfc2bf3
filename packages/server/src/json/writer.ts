/**
 * Writes JSON text into a buffer that is reused for each response: numbers and plain text need no intermediate strings,
 * and the result is one flat string, which can be sent without joining pieces first.
 *
 * Limits: one text at a time; the code between `begin` and `take` must not await anything.
 */
import { float32Token } from './decimal.ts';

/** Size of the reused buffer in bytes, which suffices for most responses. */
const KEPT_BYTES = 64 << 10;
/** Bytes of the longest float32 token: a sign, a point and 17 digits. */
const FLOAT_BYTES = 20;

/** Range of numbers that nine digits without an exponent can print, and whose product with a power of ten is exact. */
const PLAIN_MIN = 1e-3;
const PLAIN_MAX = 1e5;
const POWERS: readonly number[] = Array.from({ length: 13 }, (_, places) => 10 ** places);

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const ASCII_MAX = 0x7e;

/** Writes one text after another. */
export class JsonWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(KEPT_BYTES);
  #length = 0;
  /** Text that precedes the bytes in the buffer. */
  #before = '';

  /** Discard text that was written and not taken. */
  begin(): void {
    this.#length = 0;
    this.#before = '';
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(KEPT_BYTES);
  }

  /** The text that was written since `begin`. */
  take(): string {
    this.#flush();
    return this.#before;
  }

  /** Append text unchanged. */
  text(text: string): void {
    const size = text.length;
    this.#reserve(size);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < size; i++) {
      const code = text.charCodeAt(i);
      if (code > ASCII_MAX) {
        this.#append(text);
        return;
      }
      bytes[at++] = code;
    }
    this.#length = at;
  }

  /** Append the separator between the items of a line. */
  comma(): void {
    this.#reserve(2);
    this.#bytes[this.#length++] = COMMA;
    this.#bytes[this.#length++] = SPACE;
  }

  /** Append text as a JSON string. */
  string(text: string): void {
    const size = text.length;
    this.#reserve(size + 2);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = QUOTE;
    for (let i = 0; i < size; i++) {
      const code = text.charCodeAt(i);
      if (code < SPACE || code > ASCII_MAX || code === QUOTE || code === BACKSLASH) {
        this.#append(JSON.stringify(text));
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.#length = at;
  }

  /**
   * Append a float32 with the same text as `float32Token`, but much faster for numbers of ordinary size: the digits are
   * a whole number n in n · 10^-places. The product is exact, 24 bits by at most 28 of 5^12, and so is the comparison,
   * so both give the same digits.
   */
  float32(value: number): void {
    const magnitude = Math.abs(value);
    if (!(magnitude >= PLAIN_MIN && magnitude < PLAIN_MAX)) {
      this.text(float32Token(value));
      return;
    }
    let places = 5;
    for (let power = 10; power <= magnitude; power *= 10) places--;
    for (let power = 1; power > magnitude; power /= 10) places++;
    let digits = Math.round(magnitude * POWERS[places]!);
    if (Math.fround(digits / POWERS[places]!) !== magnitude) {
      places += 3;
      digits = Math.round(magnitude * POWERS[places]!);
    }
    // Nine digits fit into a 32-bit integer.
    this.#decimal(value < 0, digits | 0, places);
  }

  /** Append ±digits · 10^-places without trailing zeros, but with at least one digit after the point. */
  #decimal(isNegative: boolean, digits: number, places: number): void {
    this.#reserve(FLOAT_BYTES);
    const bytes = this.#bytes;
    let left = digits;
    let fraction = places;
    for (; fraction > 1 && left % 10 === 0; fraction--) left = (left / 10) | 0;
    let size = fraction + 2;
    for (let whole = Math.floor(left / POWERS[fraction]!); whole >= 10; whole = Math.floor(whole / 10)) size++;
    if (isNegative) bytes[this.#length++] = MINUS;
    let at = this.#length + size;
    this.#length = at;
    for (let i = 0; i < fraction; i++) {
      bytes[--at] = ZERO + (left % 10);
      left = (left / 10) | 0;
    }
    bytes[--at] = POINT;
    do {
      bytes[--at] = ZERO + (left % 10);
      left = (left / 10) | 0;
    } while (left > 0);
  }

  #append(text: string): void {
    this.#flush();
    this.#before += text;
  }

  #flush(): void {
    if (this.#length > 0) this.#before += this.#bytes.toString('latin1', 0, this.#length);
    this.#length = 0;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
