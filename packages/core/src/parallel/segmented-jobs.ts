/**
 * Runs the search over segments on the threads of a team. Functions beside `Pool`, so that a bundler leaves them out of a
 * program without segments.
 */
import type { SegmentedSearchKernel } from '../kernels/segments/search-segments.ts';
import { COMPOSED, type ItemsKernel } from './control.ts';
import type { Pool } from './pool.ts';
import type { Job } from './team.ts';

/** The search over segments, and the program of worker threads that have it (segmented-worker-program.generated.ts). */
export interface SegmentedKernel {
  call: SegmentedSearchKernel;
  program: string;
}

/** A search over segments: the address of its description, and the numbers of all memories that it reads. */
export interface SegmentedCall {
  address: number;
  memories: readonly number[];
}

/** Run a search over `items` queries in grains of `grain`; the description of the call is in the memory of the pool. */
export function runSegmented(
  pool: Pool,
  search: SegmentedKernel,
  items: number,
  grain: number,
  call: SegmentedCall,
): void {
  pool.team.run(jobOf(pool, search, items, grain, call));
}

/** `runSegmented` on the worker threads only, as `Pool.runAsync`. */
export async function runSegmentedAsync(
  pool: Pool,
  search: SegmentedKernel,
  items: number,
  grain: number,
  call: SegmentedCall,
): Promise<void> {
  const job = jobOf(pool, search, items, grain, call);
  await pool.team.runAsync(() => job, job);
}

function jobOf(
  { team, memoryNumber }: Pool,
  { call: search, program }: SegmentedKernel,
  items: number,
  grain: number,
  { address, memories }: SegmentedCall,
): Job {
  const call = search.bind(undefined, team.memoryOf) as ItemsKernel;
  const lastMemory = Math.max(memoryNumber, ...memories);
  const numbers = [memoryNumber, address];
  return { call, memory: COMPOSED, lastMemory, program, kernel: 0, items, grain, numbers };
}
