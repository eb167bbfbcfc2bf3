/**
 * Decodes the bytes of a file into text, in pieces that end at the end of a line.
 *
 * Encodings are UTF-8, UTF-16 with a byte order mark, and windows-1252, which includes latin-1. A file without a byte order
 * mark is read as UTF-8 up to the first invalid bytes. If all bytes before them are ASCII, the rest is read as windows-1252;
 * otherwise invalid bytes are replaced by U+FFFD. The log has a note in both cases.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { type FileBytes, fileChunks, type ReadProgress } from './file-bytes.ts';
import type { ReadLog } from './read-log.ts';

/** The encoding of text. */
export type TextEncoding = 'utf-8' | 'windows-1252' | 'utf-16le' | 'utf-16be';

const LINE_FEED = 10;
/** The most bytes kept for an incomplete line; a longer line is divided between two pieces. */
const CARRY_BYTES_MAX = 1 << 20;

/** The encoding, by the first bytes, and the length of the byte order mark. */
export function encodingOf(head: Uint8Array): { encoding: TextEncoding; markBytes: number } {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', markBytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', markBytes: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', markBytes: 2 };
  const whole = head.subarray(0, wholeCharacters(head));
  return { encoding: isUtf8(whole) ? 'utf-8' : 'windows-1252', markBytes: 0 };
}

/** The text of the first bytes of a file, without the byte order mark; its last line may be incomplete. */
export function decodeSample(head: Uint8Array): { text: string; encoding: TextEncoding } {
  const { encoding, markBytes } = encodingOf(head);
  return { text: new TextDecoder(encoding).decode(head.subarray(markBytes)), encoding };
}

/** The text of a file in pieces of whole lines; only a line longer than a mebibyte is divided. */
export async function* textChunks(
  file: FileBytes,
  log: ReadLog,
  progress?: ReadProgress,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const decoder = new LineDecoder(log);
  for await (const chunk of fileChunks(file, progress, signal)) {
    const text = decoder.push(chunk);
    if (text !== '') yield text;
  }
  const text = decoder.end();
  if (text !== '') yield text;
}

/** The character that ends the lines of a text: a line feed, also where it follows a carriage return, or that alone. */
export function lineEndOf(text: string): '\n' | '\r' {
  return text.includes('\n') || !text.includes('\r') ? '\n' : '\r';
}

/** The lines of a file in blocks, without the character that ends them; the last block may be empty. */
export async function* lineBlocks(
  file: FileBytes,
  log: ReadLog,
  progress?: ReadProgress,
  signal?: AbortSignal,
): AsyncGenerator<string[]> {
  let tail = '';
  let lineEnd: '\n' | '\r' | undefined;
  for await (const text of textChunks(file, log, progress, signal)) {
    lineEnd ??= lineEndOf(text);
    const end = text.lastIndexOf(lineEnd);
    if (end === -1) {
      tail += text;
      continue;
    }
    yield (tail + text.slice(0, end)).split(lineEnd);
    tail = text.slice(end + 1);
  }
  if (tail !== '') yield [tail];
}

/** Decodes chunks, and keeps the start of an incomplete line for the next chunk. */
class LineDecoder {
  readonly #log: ReadLog;
  #carry: Uint8Array = new Uint8Array(0);
  #encoding: TextEncoding | undefined;
  #stream: TextDecoder | undefined;
  #onlyAscii = true;

  constructor(log: ReadLog) {
    this.#log = log;
  }

  push(chunk: Uint8Array): string {
    let bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    if (this.#encoding === undefined) {
      // A byte order mark has at most three bytes.
      if (bytes.length < 3) {
        this.#carry = bytes;
        return '';
      }
      bytes = this.#begin(bytes);
    }
    if (this.#stream) {
      this.#carry = new Uint8Array(0);
      return this.#stream.decode(bytes, { stream: true });
    }
    let end = bytes.lastIndexOf(LINE_FEED) + 1;
    if (end === 0 && bytes.length > CARRY_BYTES_MAX) end = wholeCharacters(bytes);
    // A copy, because the memory of the chunk is reused before the carry is read.
    this.#carry = bytes.slice(end);
    return this.#decode(bytes.subarray(0, end));
  }

  end(): string {
    let bytes = this.#carry;
    this.#carry = new Uint8Array(0);
    if (this.#encoding === undefined) bytes = this.#begin(bytes);
    return this.#stream ? this.#stream.decode(bytes) : this.#decode(bytes);
  }

  #begin(bytes: Uint8Array): Uint8Array {
    const { encoding, markBytes } = encodingOf(bytes.subarray(0, 3));
    this.#encoding = markBytes > 0 ? encoding : 'utf-8';
    if (this.#encoding.startsWith('utf-16')) {
      this.#stream = new TextDecoder(this.#encoding);
      this.#log.note(`encoding: ${this.#encoding.toUpperCase()}, by its byte order mark`);
    }
    return bytes.subarray(markBytes);
  }

  #decode(bytes: Uint8Array): string {
    if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    if (this.#encoding === 'utf-8' && !isUtf8(bytes)) {
      if (this.#onlyAscii) {
        this.#encoding = 'windows-1252';
        this.#log.note('encoding: latin-1 (windows-1252), because the bytes are not valid UTF-8');
      } else {
        this.#log.note('encoding: UTF-8 with invalid bytes, which are replaced by U+FFFD');
      }
    }
    this.#onlyAscii = false;
    return new TextDecoder(this.#encoding, { ignoreBOM: true }).decode(bytes);
  }
}

/** The length of the bytes without an incomplete UTF-8 character at the end. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
