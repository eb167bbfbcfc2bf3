/**
 * Texts in UTF-8, one after the other, and the byte where each ends (4 bytes per text). A text is decoded when it is asked for.
 *
 * Limits: 4 GiB of text; well-formed texts (a surrogate without its partner has no UTF-8).
 */
import { OptionError } from '../errors/errors.ts';
import { FNV_BASIS, fnvNext, hashUnits, mixed } from './hashes.ts';

/** Most bytes of text, because ends are uint32. */
export const TEXT_BYTES_MAX = 0xffff_ffff;
/** Most bytes of a UTF-16 code unit. */
const BYTES_PER_UNIT_MAX = 3;
const ASCII_MAX = 0x7f;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Immutable texts. */
export class PackedTexts {
  readonly text: Uint8Array;
  readonly ends: Uint32Array;
  readonly #decoder: TextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** @param ends ascending, the last one the length of `text` */
  constructor(text: Uint8Array, ends: Uint32Array) {
    this.text = text;
    this.ends = ends;
  }

  /** Texts held. */
  get length(): number {
    return this.ends.length;
  }

  /** Text `row`. */
  at(row: number): string {
    return this.#decoder.decode(this.bytesOf(row));
  }

  /** The bytes of text `row`. */
  bytesOf(row: number): Uint8Array {
    return this.text.subarray(this.#beginOf(row), this.ends[row]);
  }

  /** The hash of text `row`, that of `hashUnits`; ASCII is not decoded for it. */
  hashAt(row: number): number {
    let state = FNV_BASIS;
    for (let at = this.#beginOf(row); at < this.ends[row]!; at++) {
      const byte = this.text[at]!;
      if (byte > ASCII_MAX) return hashUnits(this.at(row));
      state = fnvNext(state, byte);
    }
    return mixed(0, state);
  }

  /** Whether text `row` is this one; ASCII is not decoded for it. */
  isAt(row: number, text: string): boolean {
    const begin = this.#beginOf(row);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > ASCII_MAX) return this.at(row) === text;
      if (begin + i >= this.ends[row]! || unit !== this.text[begin + i]) return false;
    }
    return begin + text.length === this.ends[row];
  }

  #beginOf(row: number): number {
    return row === 0 ? 0 : this.ends[row - 1]!;
  }
}

/**
 * Encode texts; undefined where one has no UTF-8.
 *
 * @throws {OptionError} when they take more than 4 GiB
 */
export function packTexts(values: readonly string[]): PackedTexts | undefined {
  const encoder = new TextEncoder();
  const ends = new Uint32Array(values.length);
  let text = new Uint8Array(1024);
  let end = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    text = withRoom(text, end + value.length * BYTES_PER_UNIT_MAX);
    const { written } = encoder.encodeInto(value, text.subarray(end));
    if (written !== value.length && LONE_SURROGATE.test(value)) return undefined;
    end += written;
    ends[row] = end;
  }
  checkTextBytes(end);
  return new PackedTexts(text.slice(0, end), ends);
}

function withRoom(text: Uint8Array<ArrayBuffer>, sizeBytes: number): Uint8Array<ArrayBuffer> {
  if (sizeBytes <= text.length) return text;
  const larger = new Uint8Array(2 * sizeBytes);
  larger.set(text);
  return larger;
}

/** @throws {OptionError} when there are more than 4 GiB */
export function checkTextBytes(sizeBytes: number): void {
  if (sizeBytes > TEXT_BYTES_MAX) throw new OptionError(`text: expected at most 4 GiB, got ${sizeBytes} bytes`);
}
