/** A linear memory on a thread that has not noticed that another thread grew it. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { LinearMemory } from '../../src/memory/linear-memory.ts';
import { lateThread } from './late-thread.ts';

const PAGE_BYTES = 65_536;

test('the views of a thread that is late reach the memory after `reach`', () => {
  const own = new LinearMemory();
  const { buffer } = own.memory;
  const before = own.sizeBytes;
  own.ensure(before + 3 * PAGE_BYTES);
  const late = new LinearMemory(lateThread(own.memory, buffer));
  assert.equal(late.integers.byteLength, before);
  late.reach(before);
  assert.equal(late.integers.byteLength, before);
  late.reach(before + 2 * PAGE_BYTES + 1);
  for (const view of [late.bytes, late.floats, late.integers]) assert.equal(view.byteLength, own.sizeBytes);
  late.integers[own.sizeBytes / 4 - 1] = 77;
  assert.equal(own.integers.at(-1), 77);
});

test('a size that the memory does not have is refused', () => {
  const memory = new LinearMemory();
  assert.throws(() => memory.reach(memory.sizeBytes + 1), /a thread sees \d+ of \d+ bytes/);
});

test('a system that gives no address space is named, with the limit to raise', () => {
  const { Memory } = WebAssembly;
  const refused = mock.fn(function refuse() {
    throw new RangeError('WebAssembly.Memory(): could not allocate memory');
  });
  try {
    WebAssembly.Memory = refused as never;
    assert.throws(() => new LinearMemory(), {
      code: 'ERR_MEMORY',
      message: 'linear memory: expected 10 GiB of address space, got less',
    });
  } finally {
    WebAssembly.Memory = Memory;
  }
  assert.equal(refused.mock.callCount(), 1);
});
