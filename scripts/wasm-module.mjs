// The two builds of the kernels as a TypeScript module: the first as text, the second as its differences from it. The
// builds differ in some fifty instructions, so the second takes half a kilobyte.
//
// The text is of the 93 printable ASCII characters that need no escape in a string. 91 of them stand for the bytes from 252
// over 0 to 86, which are the commonest; any other byte is one of the first two and one of the 91. So what repeats stays
// aligned and gzip finds it: 18.1 kB, where the bytes themselves take 17.8, hexadecimal 19.9 and base64 24.7.

/** Characters from 32 to 126 without the apostrophe and the backslash. */
const CHARACTERS = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i)).replace(/['\\]/g, '');
const PREFIXES = 2;
const SINGLES = CHARACTERS.length - PREFIXES;
/** The byte that the first single character stands for. */
const FIRST = 252;

/** Bytes as text; `fromText` of packages/core/src/kernels/wasm-text.ts reads it. */
export function textOf(bytes) {
  const characters = Array.from(bytes, (byte) => {
    const place = (byte - FIRST + 256) % 256;
    const single = CHARACTERS[PREFIXES + (place % SINGLES)];
    return place < SINGLES ? single : CHARACTERS[Math.floor(place / SINGLES) - 1] + single;
  });
  return characters.join('');
}

/** Shorter runs cost more as a copy than as bytes. */
const COPY_BYTES_MIN = 12;

/**
 * Pieces that make `target` out of `base`, in order: copy `length` bytes of `base` from `at`, then append the bytes of
 * `added`.
 */
export function patchOf(base, target) {
  const places = new Map();
  for (let i = 0; i + COPY_BYTES_MIN <= base.length; i++) {
    const key = base.toString('latin1', i, i + COPY_BYTES_MIN);
    if (!places.has(key)) places.set(key, []);
    places.get(key).push(i);
  }
  const pieces = [{ at: 0, length: 0, added: [] }];
  for (let i = 0; i < target.length; ) {
    let piece = { at: 0, length: 0, added: [] };
    for (const at of places.get(target.toString('latin1', i, i + COPY_BYTES_MIN)) ?? []) {
      let length = 0;
      while (i + length < target.length && at + length < base.length && base[at + length] === target[i + length])
        length++;
      if (length > piece.length) piece = { at, length, added: [] };
    }
    if (piece.length > 0) pieces.push(piece);
    else pieces.at(-1).added.push(target[i]);
    i += Math.max(1, piece.length);
  }
  return pieces.map(({ at, length, added }) => [at, length, textOf(added)]);
}

/** The text of the module, behind its first lines. */
export function wasmModule(simd128, relaxed) {
  const text = `export const SIMD128_TEXT: string =\n  '${textOf(simd128)}';\n`;
  const pieces = JSON.stringify(patchOf(simd128, relaxed));
  return `${text}export const RELAXED_PATCH: readonly (readonly [at: number, length: number, added: string])[] = ${pieces};\n`;
}
