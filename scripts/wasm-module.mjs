// Writes the two builds of the kernels as a TypeScript module: the first as text, the second as its differences from
// the first. The builds differ in some fifty instructions, so the second takes half a kilobyte.
//
// The text is of the 93 printable ASCII characters that need no escape in a string. 91 of them encode the most common
// bytes, 252 to 255 and 0 to 86; any other byte is encoded by one of the other two and one of the 91. So repeated bytes
// give repeated text, which gzip compresses: 18.1 kB, where the bytes themselves take 17.8, hexadecimal 19.9 and base64
// 24.7.

/** Characters from 32 to 126 without the apostrophe and the backslash. */
const CHARACTERS = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i)).replace(/['\\]/g, '');
const PREFIXES = 2;
const SINGLES = CHARACTERS.length - PREFIXES;
/** The byte that the first single character stands for. */
const FIRST = 252;

/** Encode bytes as text; `fromText` of packages/core/src/kernels/wasm-text.ts reads it. */
export function textOf(bytes) {
  const characters = Array.from(bytes, (byte) => {
    const place = (byte - FIRST + 256) % 256;
    const single = CHARACTERS[PREFIXES + (place % SINGLES)];
    return place < SINGLES ? single : CHARACTERS[Math.floor(place / SINGLES) - 1] + single;
  });
  return characters.join('');
}

/** The shortest run of bytes that is copied; the copy of a shorter one would take more text than its bytes. */
const COPY_BYTES_MIN = 12;

/**
 * The pieces that turn `base` into `target`, in order: skip `skipped` bytes of `base` (go back where that is negative),
 * copy `length` bytes, then append the bytes of `added`. Most pieces skip the one instruction that differs.
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
  let end = 0;
  return pieces.map(({ at, length, added }) => {
    const skipped = at - end;
    end = at + length;
    return [skipped, length, textOf(added)];
  });
}

/** The text of the module of a set of kernels, by the name of the set, without its first lines. */
export function wasmModule(set, simd128, relaxed) {
  const pieces = JSON.stringify(patchOf(simd128, relaxed));
  const text = `{\n  simd128:\n    '${textOf(simd128)}',\n  relaxedPatch: ${pieces},\n}`;
  return `import type { KernelText } from './kernel-set.ts';\n\nexport const ${set.toUpperCase()}_TEXT: KernelText = ${text};\n`;
}
