/** Strings for properties. */
import fc from 'fast-check';

/** A code point of one to four bytes in UTF-8, each length as often; no half of a surrogate pair. */
const codePoint = fc
  .oneof(fc.nat(0x7f), fc.nat(0x7ff), fc.nat(0xffff), fc.nat(0x10ffff))
  .filter((point) => point < 0xd800 || point > 0xdfff);

/**
 * Strings of any code points, up to ten of them unless set otherwise. `fc.string({ unit: 'binary' })` makes strings of the
 * same code points, but first lists them all, which takes a second.
 */
export function anyText({ minLength = 0, maxLength = 10 }: fc.ArrayConstraints = {}): fc.Arbitrary<string> {
  return fc.array(codePoint, { minLength, maxLength }).map((points) => String.fromCodePoint(...points));
}
