/**
 * MD5 of a short text, for the order TensorFlow Datasets stores rows in (tutorial-split.ts). Never for security.
 *
 * Source: RFC 1321. One block only, so at most 55 bytes of ASCII; 100,000 digests take some 50 ms, in a browser too.
 */
import { assert } from '../checks/assert.ts';

/** RFC 1321, 3.4: T[i] = floor(2³² · |sin(i + 1)|), i in radians. */
// As signed words, as all that is added: integers that fit a register.
const SINES: Int32Array = Int32Array.from(
  { length: 64 },
  (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 0x1_0000_0000) | 0,
);
/** Left rotations of the four rounds, each used in turn. */
const ROTATIONS: Uint8Array = Uint8Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);
/** A block is 64 bytes, of which one is the end mark and eight are the length. */
const TEXT_BYTES_MAX = 55;

const block: Int32Array = new Int32Array(16);

/** The digest of `text` as four words, so that comparing words in order compares the digests as 128-bit integers. */
export function md5Words(text: string): [number, number, number, number] {
  assert(text.length <= TEXT_BYTES_MAX, 'a text for md5 fits into one block');
  block.fill(0);
  for (let i = 0; i < text.length; i++) block[i >> 2]! |= text.charCodeAt(i) << (8 * (i & 3));
  block[text.length >> 2]! |= 0x80 << (8 * (text.length & 3));
  block[14] = 8 * text.length;
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let mixed: number;
    let word: number;
    if (round === 0) {
      mixed = (b & c) | (~b & d);
      word = i;
    } else if (round === 1) {
      mixed = (d & b) | (~d & c);
      word = (5 * i + 1) & 15;
    } else if (round === 2) {
      mixed = b ^ c ^ d;
      word = (3 * i + 5) & 15;
    } else {
      mixed = c ^ (b | ~d);
      word = (7 * i) & 15;
    }
    const sum = (a + mixed + SINES[i]! + block[word]!) | 0;
    const rotation = ROTATIONS[(round << 2) | (i & 3)]!;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << rotation) | (sum >>> (32 - rotation)))) | 0;
  }
  return [bigEndian(a + 0x67452301), bigEndian(b + 0xefcdab89), bigEndian(c + 0x98badcfe), bigEndian(d + 0x10325476)];
}

/** The word whose most significant byte is the first byte of the digest. */
function bigEndian(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
