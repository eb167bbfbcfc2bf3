/** The text of the compiled kernels: it decodes to the same bytes, and has no character that a string would escape. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHECKSUM_KERNELS } from '../../src/kernels/checksum-kernels.ts';
import { INDEX_KERNELS } from '../../src/kernels/index-kernels.ts';
import type { KernelText } from '../../src/kernels/kernel-set.ts';
import { MODEL_KERNELS } from '../../src/kernels/model-kernels.ts';
import { MULTIPLY_KERNELS } from '../../src/kernels/multiply-kernels.ts';
import { kernelBytes } from '../../src/kernels/wasm.ts';
import { fromText } from '../../src/kernels/wasm-text.ts';

const { textOf, patchOf } = (await import(new URL('../../../../../scripts/wasm-module.mjs', import.meta.url).href)) as {
  textOf: (bytes: Uint8Array) => string;
  patchOf: (base: Buffer, target: Buffer) => KernelText['relaxedPatch'];
};

test('a text is the bytes again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      const text = textOf(bytes);
      assert.match(text, /^[ -&(-[\]-~]*$/);
      assert.deepEqual(fromText(text), bytes);
    }),
    { seed: 1 },
  );
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.deepEqual(fromText(textOf(all)), all);
});

/** Pieces of `base`, in any order, with other bytes between them. */
const edited = (base: Buffer, edits: [begin: number, length: number, added: Uint8Array][]): Buffer =>
  Buffer.concat(edits.flatMap(([begin, length, added]) => [base.subarray(begin, begin + length), added]));

test('the relaxed build is read from its differences, whatever they are', () => {
  const edit = fc.tuple(fc.nat(300), fc.nat(200), fc.uint8Array({ maxLength: 20 }));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), fc.array(edit), (bytes, edits) => {
      const base = Buffer.from(bytes);
      const target = edited(base, edits);
      const text = { simd128: textOf(base), relaxedPatch: patchOf(base, target) };
      assert.deepEqual(Buffer.from(kernelBytes({ text }, 'simd128')), base);
      assert.deepEqual(Buffer.from(kernelBytes({ text }, 'relaxed')), target);
    }),
    { seed: 1 },
  );
});

test('the kernels are in it', () => {
  const sizes = { text: 0, bytes: 0 };
  for (const { text } of [INDEX_KERNELS, MODEL_KERNELS, MULTIPLY_KERNELS, CHECKSUM_KERNELS]) {
    const bytes = fromText(text.simd128);
    assert.deepEqual(bytes.subarray(0, 8), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    sizes.text += text.simd128.length;
    sizes.bytes += bytes.length;
  }
  assert.ok(sizes.text < 1.25 * sizes.bytes);
});
