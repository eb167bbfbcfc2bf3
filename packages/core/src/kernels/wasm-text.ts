/**
 * Decodes the bytes that a generated module stores as text. The text uses 93 characters: 91 encode a byte each, and two
 * begin a pair that encodes one. scripts/wasm-module.mjs writes the text and has the reasons. Limit: the text is not
 * checked.
 */

/**
 * The number of characters that begin a pair, the number of those that encode a byte, and the byte of the first of
 * these.
 */
const PREFIXES = 2;
const SINGLES = 91;
const FIRST = 252;

/** The bytes that a text encodes. */
export function fromText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let size = 0;
  for (let i = 0; i < text.length; i++) {
    let place = placeAt(text, i);
    if (place < PREFIXES) place = SINGLES * (place + 1) + placeAt(text, ++i);
    bytes[size++] = FIRST + place - PREFIXES;
  }
  return bytes.slice(0, size);
}

/** The place of a character among those from 32 to 126 without the apostrophe (39) and the backslash (92). */
function placeAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code - 32 - Number(code > 39) - Number(code > 92);
}
