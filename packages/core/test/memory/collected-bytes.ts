/**
 * The bytes in use of a heap after everything unreachable was garbage collected, so that a test can compare them later.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Heap } from '../../src/memory/heap.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in live blocks once those that nobody knows any more were given back. */
export async function collectedBytes(heap: Heap): Promise<number> {
  for (let before = Number.POSITIVE_INFINITY; heap.usedBytes < before; ) {
    before = heap.usedBytes;
    collect();
    // Blocks are given back in a task of their own.
    for (let turns = 0; turns < 3; turns++) await turn();
  }
  return heap.usedBytes;
}
