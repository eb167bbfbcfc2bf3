/** The memory of a call for queries, results, counters and masks of exclusions. Later calls reuse it. */
import { MemoryAreas } from '../../../memory/memory-areas.ts';
import { Scratch } from '../../../memory/scratch.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { type Leaves, rowStride } from '../leaves.ts';
import type { SearchPlan } from './plan.ts';
import { COUNTERS } from './search-work.ts';

/** Memory of the queries and results of one group. */
const GROUP_BYTES = 32 * 2 ** 20;

/** Numbers of the plan of a query of a batch: its leaves, the centroids scored, its nearest leaf. */
export const PLAN_NUMBERS = 3;
const AREAS = [
  ...(['queries', 'scores', 'rows', 'counts', 'counters', 'begin', 'slots', 'masks'] as const),
  ...(['batchKeys', 'batchPlans', 'order'] as const),
];

/** Copies queries [begin, end), scaled for cosine, to rows of `stride` floats. */
export type WriteQueries = (begin: number, end: number, to: Float32Array, stride: number) => void;

/** Results row-major [queries, k]. */
export interface Found {
  counts: Int32Array;
  scores: Float32Array;
  rows: Int32Array;
}

/** Byte offsets of the memory of a call. The last three have no meaning in a call without exclusions. */
export interface CallLayout {
  /** Queries searched in one run of the kernels. */
  group: number;
  threads: number;
  queries: number;
  scores: number;
  rows: number;
  counts: number;
  counters: number;
  /** The exclusions: the start of each query's slots, the slots, and a mask of groups for each thread. */
  begin: number;
  slots: number;
  masks: number;
  /** Queries whose leaves are scanned together; 0 where each query is searched by itself. */
  block: number;
  /** Of a batch: the keys of the leaves of each query, its plan, and the order in which queries are searched. */
  batchKeys: number;
  batchPlans: number;
  order: number;
}

/** Lays out the memory of one call after another in the same block. */
export class CallBuffers {
  readonly #runtime: Runtime;
  readonly #scratch: Scratch;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#scratch = new Scratch(runtime.heap);
  }

  /**
   * Lay out memory for the queries and results of a call, and for the masks of its exclusions.
   *
   * @param block queries whose leaves are scanned together (batch-blocks.ts); default 0: none
   */
  place(leaves: Leaves, count: number, plan: SearchPlan, isAsync: boolean, block: number = 0): CallLayout {
    const { pool } = this.#runtime;
    const { k, exclusions } = plan;
    const stride = rowStride(leaves.shape.dimensions);
    const isBatch = block > 0;
    const keyBytes = isBatch ? 8 * plan.leavesToSearch : 0;
    const queryBytes = 4 * stride + 8 * k + 4 + 4 * COUNTERS + keyBytes;
    const group = Math.max(1, Math.min(count, Math.floor(GROUP_BYTES / queryBytes)));
    const threads = group === 1 && !isAsync ? 1 : pool.threads;
    const areas = new MemoryAreas();
    const layout: CallLayout = {
      group,
      threads,
      queries: areas.take(4 * stride * group),
      scores: areas.take(4 * k * group),
      rows: areas.take(4 * k * group),
      counts: areas.take(4 * group),
      counters: areas.take(4 * COUNTERS * group),
      begin: exclusions ? areas.take(4 * (count + 1)) : 0,
      slots: exclusions ? areas.take(4 * exclusions.slots.length) : 0,
      masks: exclusions ? areas.take(4 * leaves.shape.capacity * threads) : 0,
      block,
      batchKeys: isBatch ? areas.take(keyBytes * group) : 0,
      batchPlans: isBatch ? areas.take(4 * PLAN_NUMBERS * group) : 0,
      order: isBatch ? areas.take(4 * group) : 0,
    };
    const { offset } = this.#scratch.reserve(areas.sizeBytes);
    for (const area of AREAS) layout[area] += offset;
    return layout;
  }

  /** Copy the results of `size` queries from `begin` on. The views are made here: the memory may have grown meanwhile. */
  readResults(layout: CallLayout, begin: number, size: number, k: number, found: Found): void {
    const { floats, integers } = this.#runtime.heap.memory;
    const [scores, rows, counts] = [layout.scores / 4, layout.rows / 4, layout.counts / 4];
    found.scores.set(floats.subarray(scores, scores + size * k), begin * k);
    found.rows.set(integers.subarray(rows, rows + size * k), begin * k);
    found.counts.set(integers.subarray(counts, counts + size), begin);
  }

  /** Write the excluded slots, and for each thread a copy of the filter in which the search clears them. */
  writeMasks(leaves: Leaves, { filter, exclusions }: SearchPlan, { masks, slots, threads }: CallLayout): void {
    const { integers } = this.#runtime.heap.memory;
    const { capacity } = leaves.shape;
    integers.set(exclusions!.slots, slots / 4);
    for (let thread = 0; thread < threads; thread++) {
      const at = masks / 4 + thread * capacity;
      if (filter === 0) integers.fill(-1, at, at + capacity);
      else integers.set(integers.subarray(filter / 4, filter / 4 + capacity), at);
    }
  }

  /** Give the memory back. */
  free(): void {
    this.#scratch.free();
  }
}
