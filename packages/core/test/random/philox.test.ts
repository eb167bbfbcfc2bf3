/** Philox against the known answers its authors publish (Random123, kat_vectors, philox4x32 10). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { multiplyHigh, Philox } from '../../src/random/philox.ts';

type Words = readonly [number, number, number, number];

const ONES = 0xffff_ffff;
const KNOWN: readonly { counter: Words; key: readonly [number, number]; output: Words }[] = [
  { counter: [0, 0, 0, 0], key: [0, 0], output: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [ONES, ONES, ONES, ONES],
    key: [ONES, ONES],
    output: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  // The digits of π.
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    output: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

const block = (philox: Philox): number[] => [1, 2, 3, 4].map(() => philox.nextUint32());

test('the published vectors', () => {
  for (const { counter, key, output } of KNOWN) assert.deepEqual(block(new Philox(key, counter)), output);
});

test('the second block is that of the counter plus one, carrying over 32 bits', () => {
  const stream = new Philox([7, 8], [ONES, 5, 6, 9]);
  block(stream);
  assert.deepEqual(block(stream), block(new Philox([7, 8], [0, 6, 6, 9])));
});

test('the counter wraps at 64 bits and leaves the stream number alone', () => {
  const stream = new Philox([1, 2], [ONES, ONES, 3, 4]);
  block(stream);
  assert.deepEqual(block(stream), block(new Philox([1, 2], [0, 0, 3, 4])));
});

test('multiplyHigh is the high half of the exact product', () => {
  const uint32 = fc.oneof(fc.integer({ min: 0, max: ONES }), fc.constantFrom(0, 1, 0xffff, 0x10000, ONES));
  fc.assert(
    fc.property(uint32, uint32, (a, b) => {
      assert.equal(multiplyHigh(a, b), Number((BigInt(a) * BigInt(b)) >> 32n));
    }),
    { numRuns: 2_000, seed: 1 },
  );
});
