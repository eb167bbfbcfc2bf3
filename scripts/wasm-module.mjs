// The two builds of the kernels as a TypeScript module: the first in hexadecimal, the second as its differences from it.
// Hexadecimal keeps bytes aligned, so gzip finds what repeats: 18 kB where base64 takes 23. The builds differ in some
// fifty instructions, so the second takes half a kilobyte.

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
  return pieces.map(({ at, length, added }) => [at, length, Buffer.from(added).toString('hex')]);
}

/** The text of the module, behind its first lines. */
export function wasmModule(simd128, relaxed) {
  const hex = `export const SIMD128_HEX: string =\n  '${simd128.toString('hex')}';\n`;
  const pieces = JSON.stringify(patchOf(simd128, relaxed));
  return `${hex}export const RELAXED_PATCH: readonly (readonly [at: number, length: number, added: string])[] = ${pieces};\n`;
}
