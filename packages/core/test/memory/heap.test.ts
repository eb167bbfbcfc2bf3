/** The heap: blocks never overlap, are zero, and everything freed is one range again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryError } from '../../src/errors/errors.ts';
import { type Block, Heap } from '../../src/memory/heap.ts';

test('blocks are aligned, zero and disjoint whatever was freed before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 5000 })), { maxLength: 60 }), (steps) => {
      const heap = new Heap();
      let live: Block[] = [];
      for (const [release, size] of steps) {
        if (release && live.length > 0) live.splice(size % live.length, 1)[0]!.free();
        else {
          const block = heap.allocate(size);
          assert.equal(block.offset % 64, 0);
          assert.ok(block.bytes().every((byte) => byte === 0));
          block.bytes().fill(255);
          live.push(block);
        }
        const sorted = [...live].sort((a, b) => a.offset - b.offset);
        for (let i = 1; i < sorted.length; i++) {
          assert.ok(sorted[i - 1]!.offset + sorted[i - 1]!.sizeBytes <= sorted[i]!.offset);
        }
        assert.equal(
          heap.usedBytes,
          live.reduce((sum, block) => sum + block.sizeBytes, 0),
        );
      }
      const end = Math.max(0, ...live.map((block) => block.offset + block.sizeBytes));
      for (const block of live) block.free();
      live = [];
      if (end > 0) assert.equal(heap.allocate(64).offset, 65_536);
      assert.equal(heap.usedBytes, end > 0 ? 64 : 0);
    }),
    { numRuns: 50, seed: 3 },
  );
});

test('a block freed twice is freed once', () => {
  const heap = new Heap();
  const block = heap.allocate(100);
  block.free();
  block.free();
  assert.equal(heap.usedBytes, 0);
});

test('more than the memory can ever hold is one clear error, and the heap goes on', () => {
  const heap = new Heap();
  assert.throws(
    () => heap.allocate(5 * 2 ** 30),
    (error) => error instanceof MemoryError && error.code === 'ERR_MEMORY',
  );
  assert.equal(heap.allocate(64).sizeBytes, 64);
});
