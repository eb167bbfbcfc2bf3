/**
 * Texts as UTF-8 bytes, and their hash. A surrogate without its partner is written as the three bytes that UTF-8 would give
 * its code unit.
 */

/** Most bytes of a UTF-16 code unit. */
export const BYTES_PER_UNIT_MAX = 3;

const scratch = { bytes: new Uint8Array(1024) };

/** A hash of a word, 32 bits, unsigned. Files depend on it: hashed ids and out-of-vocabulary rows are made of it. */
export function hashWord(word: string): number {
  if (word.length * BYTES_PER_UNIT_MAX > scratch.bytes.length) scratch.bytes = new Uint8Array(word.length * 4);
  return hashBytes(scratch.bytes, 0, encodeUnits(word, scratch.bytes));
}

/** FNV-1a over 32 bits and the finalizer of MurmurHash3, because the high bits of FNV-1a of short texts hardly differ. */
export function hashBytes(bytes: Uint8Array, begin: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = begin; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Write the bytes of a text; returns their number. A surrogate without a partner gets the three bytes of its code unit. */
export function encodeUnits(text: string, out: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let point = text.charCodeAt(i);
    if (point < 0x80) {
      out[length++] = point;
      continue;
    }
    if (point >= 0xd800 && point <= 0xdfff) {
      point = text.codePointAt(i)!;
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

/** The text of bytes that `encodeUnits` wrote; a TextDecoder would replace lone surrogates. */
export function decodeUnits(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at++]!;
    const more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    // The first byte holds 7 bits of the code point, or 6 − the number of the bytes that follow.
    let point = more === 0 ? first : first & (0x3f >> more);
    for (let i = 0; i < more; i++) point = (point << 6) | (bytes[at++]! & 0x3f);
    text += String.fromCodePoint(point);
  }
  return text;
}
