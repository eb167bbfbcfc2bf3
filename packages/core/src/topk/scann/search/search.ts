/**
 * Runs the search kernels for the queries of a call: splits the queries over the threads and copies the results. A call
 * of one query with the same plan as the call before reuses its record.
 */
import { takeFewer } from '../../../memory/scratch.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { PanelSearch } from '../../brute-force/panel-search.ts';
import type { LeafSet } from '../leaf-set.ts';
import { type Leaves, rowStride } from '../leaves.ts';
import { blockQueries, writeOrder } from './batch-blocks.ts';
import { CallBuffers, type Found, type WriteQueries } from './call-buffers.ts';
import { type CallAddress, CallRecord, scratchBytesOf } from './call-record.ts';
import type { SearchPlan } from './plan.ts';
import { addWork, COUNTERS, type SearchWork } from './search-work.ts';
import { SingleCall } from './single-call.ts';

/** Queries a thread claims at a time. */
const GRAIN = 4;

/** The search of an index in segments (segments/segmented-search.ts). */
export interface SegmentSearch {
  readonly leaves: LeafSet;
  run(count: number, write: WriteQueries, plan: SearchPlan, work: SearchWork | undefined): Found;
  runAsync(count: number, write: WriteQueries, plan: SearchPlan, work: SearchWork | undefined): Promise<Found>;
  free(): void;
}

/** Makes the search of an index in segments. */
export type SegmentSearchOf = (leaves: LeafSet) => SegmentSearch;

/** The leaves of an index; those in segments with their search. */
export interface SearchedLeaves {
  readonly leaves: LeafSet;
  readonly segmented: { readonly search: SegmentSearchOf } | undefined;
}

/** A kernel to run over `size` queries. */
interface SearchJob {
  name: 'searchSlots' | 'searchScann' | 'planBatch' | 'searchBatch';
  size: number;
  grain: number;
  record: CallAddress;
}

/** Runs calls on one index after another with the same memory. */
export class ScannSearch {
  readonly runtime: Runtime;
  /** The search of an index whose rows are in panels. */
  readonly panels: PanelSearch;
  readonly #buffers: CallBuffers;
  readonly #record: CallRecord;
  #single: SingleCall | undefined;
  /** The search of an index in segments, made at the first call. */
  #segmented: SegmentSearch | undefined;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.panels = new PanelSearch(runtime);
    this.#buffers = new CallBuffers(runtime);
    this.#record = new CallRecord(runtime);
  }

  /**
   * Search with queries [count, dimensions] that `write` copies, already scaled, to rows of the index's stride.
   */
  run(
    searched: SearchedLeaves,
    count: number,
    write: WriteQueries,
    plan: SearchPlan,
    work: SearchWork | undefined,
  ): Found {
    const segmented = this.#over(searched);
    if (segmented) return segmented.run(count, write, plan, work);
    const leaves = searched.leaves.head;
    if (count === 1 && !work && this.#single?.serves(leaves, plan)) {
      return this.#runSingle(this.#single, leaves, write, plan);
    }
    const { kernels, pool } = this.runtime;
    const steps = this.#steps(leaves, count, write, plan, work, false);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      const { name, size, grain, record } = step.value;
      if (size === 1) kernels[name](0, 1, 0, leaves.record, record);
      else pool.run(name, size, grain, leaves.record, record);
    }
  }

  /**
   * `run` on the worker threads. Only one may run at a time; index, filter and exclusions must not change meanwhile.
   */
  async runAsync(
    searched: SearchedLeaves,
    count: number,
    write: WriteQueries,
    plan: SearchPlan,
    work: SearchWork | undefined,
  ): Promise<Found> {
    const segmented = this.#over(searched);
    if (segmented) return segmented.runAsync(count, write, plan, work);
    const leaves = searched.leaves.head;
    const steps = this.#steps(leaves, count, write, plan, work, true);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      const { name, size, grain, record } = step.value;
      await this.runtime.pool.runAsync(name, size, grain, leaves.record, record);
    }
  }

  /** The search over segments; undefined for an index in one memory. */
  #over({ leaves, segmented }: SearchedLeaves): SegmentSearch | undefined {
    if (!segmented) return undefined;
    if (this.#segmented?.leaves !== leaves) {
      this.#segmented?.free();
      this.#segmented = segmented.search(leaves);
    }
    return this.#segmented;
  }

  /** The search, which yields each kernel that is to run and the number of its queries. */
  *#steps(
    leaves: Leaves,
    count: number,
    write: WriteQueries,
    plan: SearchPlan,
    work: SearchWork | undefined,
    isAsync: boolean,
  ): Generator<SearchJob, Found, void> {
    const { k } = plan;
    const found: Found = {
      counts: new Int32Array(count),
      scores: new Float32Array(count * k),
      rows: new Int32Array(count * k),
    };
    if (count === 0 || k === 0) return found;
    this.#single = undefined;
    const { memory } = this.runtime.heap;
    const [layout, record] = takeFewer(this, count, (count) => {
      const block = count > 1 ? blockQueries(leaves, plan, count, scratchBytesOf(leaves, plan)) : 0;
      const layout = this.#buffers.place(leaves, count, plan, isAsync, block);
      return [layout, this.#record.write(leaves, plan, layout, work !== undefined)] as const;
    });
    if (plan.exclusions) this.#buffers.writeMasks(leaves, plan, layout);
    const name = plan.listed ? 'searchSlots' : 'searchScann';
    const stride = rowStride(leaves.shape.dimensions);
    for (let begin = 0; begin < count; begin += layout.group) {
      const end = Math.min(begin + layout.group, count);
      const size = end - begin;
      const queriesAt = layout.queries / 4;
      write(begin, end, memory.floats.subarray(queriesAt, queriesAt + size * stride), stride);
      if (plan.exclusions) memory.integers.set(plan.exclusions.begin.subarray(begin, end + 1), layout.begin / 4);
      if (layout.block > 0) {
        yield { name: 'planBatch', size, grain: GRAIN, record };
        writeOrder(memory, layout, size);
        yield { name: 'searchBatch', size, grain: layout.block, record };
      } else {
        yield { name, size, grain: GRAIN, record };
      }
      this.#buffers.readResults(layout, begin, size, k, found);
      const countersAt = layout.counters / 4;
      if (work) addWork(work, memory.integers.subarray(countersAt, countersAt + COUNTERS * size));
    }
    if (count === 1 && !plan.exclusions && !work && !isAsync) {
      this.#single = new SingleCall(memory, leaves, plan, layout, record);
    }
    return found;
  }

  /** Search with the record of the last call: only the query is new. */
  #runSingle(call: SingleCall, leaves: Leaves, write: WriteQueries, plan: SearchPlan): Found {
    write(0, 1, call.query, call.query.length);
    const { kernels } = this.runtime;
    if (plan.listed) kernels.searchSlots(0, 1, 0, leaves.record, call.record);
    else kernels.searchScann(0, 1, 0, leaves.record, call.record);
    return { counts: call.count.slice(), scores: call.scores.slice(), rows: call.rows.slice() };
  }

  /** Give the memory back. */
  free(): void {
    this.panels.free();
    this.#record.free();
    this.#buffers.free();
    this.#single = undefined;
    this.#segmented?.free();
    this.#segmented = undefined;
  }
}
