/**
 * The error for candidates that the linear memory cannot hold. Its message says how many bytes they need, how many are
 * in use, and what would fit.
 */
import { MemoryError } from '../errors/errors.ts';
import type { Heap } from '../memory/heap.ts';

/** A need for memory that was not met. */
export interface MemoryNeed {
  /** Name of the rows in the message. */
  name: string;
  rows: number;
  dimensions: number;
  /** Bytes needed, and bytes in use; default: all that the heap has handed out. */
  bytes: number;
  heldBytes?: number;
  /** True if this many rows and dimensions would fit; if a number fits, every smaller one does. */
  fits: (rows: number, dimensions: number) => boolean;
  /** Other ways to make it fit, as phrases for the message. */
  others?: readonly string[];
}

/** Make the error. */
export function memoryError({ memory, usedBytes }: Heap, need: MemoryNeed): MemoryError {
  const { name, rows, dimensions, bytes, heldBytes = usedBytes, fits, others = [] } = need;
  const fewerRows = largest(rows, (fewer) => fits(fewer, dimensions));
  const fewerDimensions = largest(dimensions, (fewer) => fits(rows, fewer));
  const remedies = [
    ...(fewerRows > 0 ? [`${fewerRows} rows`] : []),
    ...(fewerDimensions > 0 ? [`${fewerDimensions} dimensions per row`] : []),
    ...others,
  ];
  return new MemoryError(
    `${name}: expected an index that fits the linear memory of ${memory.maxBytes} bytes, got a need of ${bytes} bytes ` +
      `for ${rows} rows × ${dimensions} dimensions while ${heldBytes} bytes are in use; ` +
      (remedies.length > 0 ? `what would fit: ${remedies.join(', or ')}` : 'not even one row would fit'),
  );
}

/**
 * The largest number below `end` for which `holds` is true; 0 where there is none. `holds` is true for all smaller
 * numbers.
 */
function largest(end: number, holds: (value: number) => boolean): number {
  let low = 0;
  let high = end;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
