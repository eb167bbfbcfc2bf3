/** The text of the compiled kernels: it decodes to the same bytes, and has no character that a string would escape. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHECKSUM_KERNELS } from '../../src/kernels/checksum-kernels.ts';
import { INDEX_KERNELS } from '../../src/kernels/index-kernels.ts';
import { MODEL_KERNELS } from '../../src/kernels/model-kernels.ts';
import { MULTIPLY_KERNELS } from '../../src/kernels/multiply-kernels.ts';
import { fromText } from '../../src/kernels/wasm-text.ts';

const { textOf } = (await import(new URL('../../../../../scripts/wasm-module.mjs', import.meta.url).href)) as {
  textOf: (bytes: Uint8Array) => string;
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
