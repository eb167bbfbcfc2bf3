/** The checksum kernel against published values of XXH64 and against its reference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHECKSUM_KERNELS } from '../../src/kernels/checksum-kernels.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

/** XXH64 of each chunk. */
function digests(runtime: Runtime, bytes: Uint8Array, chunkBytes: number): bigint[] {
  const chunks = Math.max(1, Math.ceil(bytes.length / chunkBytes));
  const data = runtime.heap.allocate(bytes.length);
  const out = runtime.heap.allocate(8 * chunks);
  data.bytes().set(bytes);
  const pool = runtime.load(CHECKSUM_KERNELS);
  pool.run('hashChunks', chunks, 1, data.offset, bytes.length, chunkBytes, out.offset);
  const view = new DataView(out.bytes().buffer, out.offset);
  const found = Array.from({ length: chunks }, (_, i) => view.getBigUint64(8 * i, true));
  data.free();
  out.free();
  return found;
}

/** The test buffer of xxHash's own self-test: the high bytes of a 32-bit number squared again and again. */
function sanityBuffer(length: number): Uint8Array {
  let generator = 2_654_435_761;
  return Uint8Array.from({ length }, () => {
    const byte = generator >>> 24;
    generator = Math.imul(generator, generator) >>> 0;
    return byte;
  });
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** From xxHash's self-test (seed 0) and its documentation. */
const KNOWN: readonly [Uint8Array, bigint][] = [
  [ascii(''), 0xef46db3751d8e999n],
  [ascii('a'), 0xd24ec4f1a98c6e5bn],
  [ascii('abc'), 0x44bc2cf5ad770999n],
  [ascii('Nobody inspects the spammish repetition'), 0xfbcea83c8a378bf1n],
  [sanityBuffer(1), 0x4fce394cc88952d8n],
  [sanityBuffer(14), 0xcffa8db881bc3a3dn],
  [sanityBuffer(101), 0x0eab543384f878adn],
];

for (const { variant, runtime, skip } of VARIANTS) {
  test(`hashChunks, ${variant}: published values of XXH64`, { skip }, () => {
    for (const [bytes, digest] of KNOWN) assert.deepEqual(digests(runtime, bytes, 1 << 20), [digest]);
  });

  test(`hashChunks, ${variant}: equal to the reference, chunk by chunk`, { skip }, () => {
    const input = fc.tuple(fc.uint8Array({ maxLength: 700 }), fc.integer({ min: 1, max: 130 }));
    fc.assert(
      fc.property(input, ([bytes, chunkBytes]) => {
        assert.deepEqual(digests(runtime, bytes, chunkBytes), digests(referenceRuntime, bytes, chunkBytes));
      }),
      { numRuns: 100, seed: 11 },
    );
  });
}
