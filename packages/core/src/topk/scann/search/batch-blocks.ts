/**
 * Decides whether the queries of a batch share the scan of their leaves (assembly/scann-batch.ts). Queries are sorted by
 * their nearest leaf, and each block of them scans leaf after leaf, so that the codes of a leaf are in the cache of the
 * core for all queries of the block that search it. Results are those of single queries, bit for bit.
 *
 * Sharing pays only if the codes that one query reads do not fit the cache: at 100,000 × 768 a query took 12 % less time,
 * at 120,000 × 128 and 390,000 × 50 up to 10 % more (docs/decisions/scann-index.md).
 */
import type { LinearMemory } from '../../../memory/linear-memory.ts';
import { GROUP_SLOTS, type Leaves } from '../leaves.ts';
import { type CallLayout, PLAN_NUMBERS } from './call-buffers.ts';
import type { SearchPlan } from './plan.ts';

/** Queries of a block, at most. */
const BLOCK_QUERIES = 8;
/** Fewer queries seldom search the same leaves. */
const BATCH_MIN = 32;
/** Bytes of codes that a query reads, at least: more than the cache of a core (512 KiB to 1 MiB). */
const SHARED_BYTES = 2 ** 20;
/** Bytes of the scratch memory of a block, at most. */
const SCRATCH_BYTES = 16 * 2 ** 20;

/**
 * The number of queries whose leaves are scanned together; 0 where each query is searched by itself.
 *
 * @param scratchBytes the scratch memory of a query
 */
export function blockQueries({ shape }: Leaves, plan: SearchPlan, count: number, scratchBytes: number): number {
  const { pruneBeta, exclusions, listed, leavesToSearch } = plan;
  // With bounds of groups, a query scans its best leaf first, and what it scans depends on what it has found.
  if (count < BATCH_MIN || pruneBeta > 0 || exclusions || listed) return 0;
  const pointBytes = (shape.productBlocks + shape.correctionBlocks) / 2;
  const points = (leavesToSearch / shape.leaves) * shape.groups * GROUP_SLOTS;
  if (points * pointBytes < SHARED_BYTES) return 0;
  const block = Math.min(BLOCK_QUERIES, Math.floor(SCRATCH_BYTES / scratchBytes));
  return block > 1 ? block : 0;
}

/** Write the order in which the first `size` queries of a batch are searched: by nearest leaf. */
export function writeOrder({ integers }: LinearMemory, { batchPlans, order }: CallLayout, size: number): void {
  const leafOf = (query: number): number => integers[batchPlans / 4 + PLAN_NUMBERS * query + 2]!;
  const queries = Int32Array.from({ length: size }, (_, query) => query);
  integers.set(
    queries.sort((a, b) => leafOf(a) - leafOf(b) || a - b),
    order / 4,
  );
}
