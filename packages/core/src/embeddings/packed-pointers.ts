/** Packs learned pointers as they are saved: ⌈log2 k⌉ bits each, one after the other, least significant bit first. */
import type { Part } from '../format/part.ts';
import type { Block } from '../memory/heap.ts';

/** Bits of a pointer into `rows` rows. */
export function pointerBits(rows: number): number {
  return Math.max(1, Math.ceil(Math.log2(rows)));
}

/** Bytes that `count` pointers of `bits` bits take. */
export function packedBytes(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/** Pack pointers. */
export function packPointers(pointers: Uint16Array, bits: number): Uint8Array {
  const packed = new Uint8Array(packedBytes(pointers.length, bits));
  let at = 0;
  let held = 0;
  let filled = 0;
  for (let i = 0; i < pointers.length; i++) {
    held |= pointers[i]! << filled;
    filled += bits;
    for (; filled >= 8; filled -= 8) {
      packed[at++] = held & 0xff;
      held >>>= 8;
    }
  }
  if (filled > 0) packed[at] = held & 0xff;
  return packed;
}

/** Unpack `out.length` pointers; returns the position of the first pointer that is not below `rows`, or −1. */
export function unpackPointers(packed: Uint8Array, bits: number, rows: number, out: Uint16Array): number {
  let at = 0;
  let held = 0;
  let filled = 0;
  const mask = 2 ** bits - 1;
  for (let i = 0; i < out.length; i++) {
    for (; filled < bits; filled += 8) held |= packed[at++]! << filled;
    const pointer = held & mask;
    held >>>= bits;
    filled -= bits;
    if (pointer >= rows) return i;
    out[i] = pointer;
  }
  return -1;
}

/**
 * Load the pointers [ids, terms] from section `pointers`, as uint16 in the linear memory.
 *
 * @throws {FormatError} when a pointer is not below `rows`
 */
export function loadPointers(part: Part, ids: number, terms: number, rows: number): Block {
  const { heap } = part.runtime;
  const bits = pointerBits(rows);
  const packed = part.bytes('pointers', packedBytes(ids * terms, bits));
  const block = heap.allocate(2 * ids * terms);
  const bad = unpackPointers(packed, bits, rows, new Uint16Array(heap.memory.memory.buffer, block.offset, ids * terms));
  if (bad < 0) return block;
  block.free();
  const where = `id ${Math.floor(bad / terms)}`;
  throw part.error('pointers', `expected pointers below ${rows}, got a larger one at ${where}`);
}
