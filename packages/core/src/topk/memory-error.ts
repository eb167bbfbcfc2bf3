/** The error of candidates that the linear memory cannot hold: what they need, what is held, and what would fit. */
import { MemoryError } from '../errors/errors.ts';
import type { Heap } from '../memory/heap.ts';

/** The numbers that did not fit. */
export interface MemoryNeed {
  /** Their name in the message. */
  name: string;
  rows: number;
  dimensions: number;
  /** Bytes needed, and bytes that others hold. */
  bytes: number;
  heldBytes: number;
  /** Whether other numbers would fit; true for all that are smaller than some that are. */
  fits: (rows: number, dimensions: number) => boolean;
  /** Another way to make it fit, in words, for the message. */
  others?: readonly string[];
}

/** The error that says it. */
export function memoryError({ memory }: Heap, need: MemoryNeed): MemoryError {
  const { name, rows, dimensions, bytes, heldBytes, fits, others = [] } = need;
  const fewerRows = largest(rows, (fewer) => fits(fewer, dimensions));
  const fewerDimensions = largest(dimensions, (fewer) => fits(rows, fewer));
  const remedies = [
    ...(fewerRows > 0 ? [`${fewerRows} rows`] : []),
    ...(fewerDimensions > 0 ? [`${fewerDimensions} dimensions per row`] : []),
    ...others,
  ];
  return new MemoryError(
    `${name}: expected an index that fits the linear memory of ${memory.maxBytes} bytes, got a need of ${bytes} bytes ` +
      `for ${rows} rows × ${dimensions} dimensions, beside ${heldBytes} bytes that are held; ` +
      (remedies.length > 0 ? `what would fit: ${remedies.join(', or ')}` : 'no row fits beside them'),
  );
}

/** The largest number below `end` for which something holds that holds for all smaller ones; 0: none. */
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
