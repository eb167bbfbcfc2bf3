/** Runs a call on an index in segments: prepares the memory of every segment, and runs the search over all of them. */
import {
  type OpenedCall,
  openCall,
  type SegmentAddress,
  searchItem,
  searchSegments,
  segmentedCallLength,
  takeFailure,
  writeSegmentedCall,
} from '../../../kernels/segments/search-segments.ts';
import { type RowViews, viewBytes, writeViews } from '../../../kernels/segments/segment-rows.ts';
import { Scratch, takeFewer } from '../../../memory/scratch.ts';
import { runSegmented, runSegmentedAsync, type SegmentedKernel } from '../../../parallel/segmented-jobs.ts';
import { SEGMENTED_WORKER_PROGRAM } from '../../../parallel/segmented-worker-program.generated.ts';
import { rowError } from '../file-rows.ts';
import type { LeafSet } from '../leaf-set.ts';
import { type Leaves, rowBytes, rowStride } from '../leaves.ts';
import { CallBuffers, type CallLayout, type Found, type WriteQueries } from '../search/call-buffers.ts';
import { CallRecord } from '../search/call-record.ts';
import { listedSlots, type SearchPlan } from '../search/plan.ts';
import type { SegmentSearch } from '../search/search.ts';
import { addWork, COUNTERS, type SearchWork } from '../search/search-work.ts';

/** Queries that a thread claims at a time. */
const GRAIN = 4;
/** The same where rows are read from a file, which is done for all of them at once. */
const GRAIN_IN_FILE = 64;
/** Rows of a list that are read from a file at a time. */
const LISTED_AT_ONCE = 1_024;
/** The search, and the program of the worker threads that can run it. */
const SEARCH_SEGMENTS: SegmentedKernel = { call: searchSegments, program: SEGMENTED_WORKER_PROGRAM };

/** The memory of a call of one query, for a call with the same plan and a new query. */
interface SingleCall {
  plan: SearchPlan;
  /** The number of groups of the index at the call, for which the scratch memory has room. */
  groups: number;
  opened: OpenedCall;
  /** The query in every memory, that of the head first. */
  queries: readonly Float32Array[];
  /** The results of the head: count, scores and rows. */
  found: Found;
}

/** A job over `size` queries; the description of the call is at `address`. */
interface SegmentedJob {
  size: number;
  address: number;
}

/** The buffers and the record of calls in one memory, and the views of rows that stay in a file. */
interface Memory {
  views: Scratch;
  buffers: CallBuffers;
  record: CallRecord;
}

/** A memory with its part of the index and the plan of a call in it. */
interface Prepared extends Memory {
  leaves: Leaves;
  plan: SearchPlan;
}

/** Make the search of an index in segments. */
export function segmentSearchOf(leaves: LeafSet): SegmentSearch {
  return new SegmentedSearch(leaves);
}

/** Runs calls on one index in segments. */
class SegmentedSearch implements SegmentSearch {
  readonly leaves: LeafSet;
  readonly #description: Scratch;
  readonly #memories: readonly Memory[];
  #single: SingleCall | undefined;

  constructor(leaves: LeafSet) {
    this.leaves = leaves;
    this.#description = new Scratch(leaves.head.runtime.heap);
    this.#memories = [leaves.head, ...leaves.segments].map(({ runtime }) => ({
      buffers: new CallBuffers(runtime),
      record: new CallRecord(runtime),
      views: new Scratch(runtime.heap),
    }));
  }

  /** Search with queries [count, dimensions] that `write` copies, already scaled, to rows of the index's stride. */
  run(count: number, write: WriteQueries, plan: SearchPlan, work: SearchWork | undefined): Found {
    if (count === 1 && !work && this.#single && this.#serves(this.#single, plan)) {
      return this.#runSingle(this.#single, write);
    }
    const { pool } = this.leaves.head.runtime;
    const memories = this.leaves.segments.map((segment) => segment.runtime.pool.memoryNumber);
    const steps = this.#steps(count, write, plan, work, false);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      const { size, address } = step.value;
      runSegmented(pool, SEARCH_SEGMENTS, size, this.#grain(size), { address, memories });
    }
  }

  /**
   * `run` on the worker threads. Only one call may run at a time, and index, filter and exclusions must not change
   * meanwhile.
   */
  async runAsync(count: number, write: WriteQueries, plan: SearchPlan, work: SearchWork | undefined): Promise<Found> {
    const { pool } = this.leaves.head.runtime;
    const memories = this.leaves.segments.map((segment) => segment.runtime.pool.memoryNumber);
    const steps = this.#steps(count, write, plan, work, true);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      const { size, address } = step.value;
      await runSegmentedAsync(pool, SEARCH_SEGMENTS, size, this.#grain(size), { address, memories });
    }
  }

  /** Queries of `size` that a thread claims at a time. */
  #grain(size: number): number {
    if (!this.leaves.fileRows) return GRAIN;
    const { threads } = this.leaves.head.runtime.pool;
    return Math.max(1, Math.min(GRAIN_IN_FILE, Math.ceil(size / threads)));
  }

  /** Give the memory back. */
  free(): void {
    this.#description.free();
    for (const { buffers, record, views } of this.#memories) {
      views.free();
      buffers.free();
      record.free();
    }
  }

  *#steps(
    count: number,
    write: WriteQueries,
    plan: SearchPlan,
    work: SearchWork | undefined,
    isAsync: boolean,
  ): Generator<SegmentedJob, Found, void> {
    const { k } = plan;
    const found: Found = {
      counts: new Int32Array(count),
      scores: new Float32Array(count * k),
      rows: new Int32Array(count * k),
    };
    if (count === 0 || k === 0) return found;
    this.#single = undefined;
    const prepared = this.#prepare(plan);
    const [layouts, address] = takeFewer(this, count, (count) => {
      const layouts = prepared.map(({ leaves, plan, buffers }) => buffers.place(leaves, count, plan, isAsync));
      return [layouts, this.#describe(prepared, layouts, plan, work !== undefined)] as const;
    });
    prepared.forEach(({ leaves, plan, buffers }, i) => {
      if (plan.exclusions) buffers.writeMasks(leaves, plan, layouts[i]!);
    });
    const stride = rowStride(this.leaves.shape.dimensions);
    const [head] = layouts as [CallLayout];
    for (let begin = 0; begin < count; begin += head.group) {
      const end = Math.min(begin + head.group, count);
      const size = end - begin;
      this.#writeQueries(prepared, layouts, begin, end, stride, write);
      yield { size, address };
      this.#checkRead();
      prepared[0]!.buffers.readResults(head, begin, size, k, found);
      const { integers } = this.leaves.head.runtime.heap.memory;
      if (work) addWork(work, integers.subarray(head.counters / 4, head.counters / 4 + COUNTERS * size));
    }
    if (count === 1 && !work && !isAsync && isPlain(plan)) {
      this.#single = this.#singleCall(plan, layouts, address);
    }
    return found;
  }

  /** @throws {FileError} where rows that stay in a file could not be read */
  #checkRead(): void {
    const { fileRows, segments } = this.leaves;
    if (!fileRows) return;
    const length = segmentedCallLength(segments.length);
    const offset = takeFailure(this.#description.reserve(4 * length).integers(length));
    if (offset !== undefined) throw rowError(fileRows, offset);
  }

  /**
   * The views of a call of one query. They are made once, because each view of a memory takes a fraction of a
   * microsecond.
   */
  #singleCall(plan: SearchPlan, layouts: readonly CallLayout[], address: number): SingleCall {
    const { head, segments, shape } = this.leaves;
    const stride = rowStride(shape.dimensions);
    const memories = [head, ...segments].map(({ runtime }) => runtime.heap.memory.memory);
    const { counts, scores, rows } = layouts[0]!;
    const { buffer } = memories[0]!;
    const { team, memoryNumber } = head.runtime.pool;
    return {
      plan,
      groups: shape.groups,
      opened: openCall(team.memoryOf, 0, memoryNumber, address),
      queries: memories.map((memory, i) => new Float32Array(memory.buffer, layouts[i]!.queries, stride)),
      found: {
        counts: new Int32Array(buffer, counts, 1),
        scores: new Float32Array(buffer, scores, plan.k),
        rows: new Int32Array(buffer, rows, plan.k),
      },
    };
  }

  /** Search with the records of the last call and a new query. */
  #runSingle({ opened, queries, found: { counts, scores, rows } }: SingleCall, write: WriteQueries): Found {
    const [query, ...copies] = queries as [Float32Array, ...Float32Array[]];
    write(0, 1, query, query.length);
    for (const copy of copies) for (let t = 0; t < copy.length; t++) copy[t] = query[t]!;
    searchItem(opened, 0);
    this.#checkRead();
    return { counts: counts.slice(), scores: scores.slice(), rows: rows.slice() };
  }

  /** True if a call with another plan can use the records of the last call. */
  #serves({ plan: own, groups }: SingleCall, plan: SearchPlan): boolean {
    return (
      groups === this.leaves.shape.groups &&
      isPlain(plan) &&
      own.k === plan.k &&
      own.leavesToSearch === plan.leavesToSearch &&
      own.upperToOpen === plan.upperToOpen &&
      own.reorder === plan.reorder &&
      own.boundRank === plan.boundRank &&
      own.pruneBeta === plan.pruneBeta
    );
  }

  /** The plans of the head and of the segments; a segment has filters, exclusions and lists of its own. */
  #prepare(plan: SearchPlan): Prepared[] {
    const { head, segments } = this.leaves;
    const { groupFilter, exclusions } = plan;
    const none = { filter: 0, exclusions: undefined, listed: plan.listed && { slots: undefined, count: 0 } };
    const [main, ...others] = this.#memories as [Memory, ...Memory[]];
    const own = others.map((memory, s): Prepared => {
      const filter = groupFilter?.words(s).offset ?? 0;
      const listed = plan.listed && listedSlots(this.leaves, groupFilter, s);
      const excluded = exclusions && exclusionsOf(this.leaves, exclusions, s);
      const reorderExactly = plan.reorderExactly || (listed !== undefined && segments[s]!.fileRows !== undefined);
      const ownPlan = { ...plan, filter, listed, exclusions: excluded, reorderExactly };
      return { ...memory, leaves: segments[s]!, plan: ownPlan };
    });
    return [{ ...main, leaves: head, plan: { ...plan, ...none } }, ...own];
  }

  /** Write all records of the call, and the description that the threads read; returns its address. */
  #describe(
    prepared: readonly Prepared[],
    layouts: readonly CallLayout[],
    { listed }: SearchPlan,
    isCounted: boolean,
  ): number {
    const addresses: SegmentAddress[] = prepared.map(({ leaves, plan, record, views }, i) => ({
      rows: leaves.fileRows && { location: leaves.fileRows.location, views: viewsOf(leaves, plan, views, layouts[i]!) },
      memory: leaves.runtime.pool.memoryNumber,
      index: leaves.record,
      call: record.write(leaves, plan, layouts[i]!, isCounted),
      memoryBytes: leaves.runtime.heap.memory.sizeBytes,
    }));
    const [head, ...segments] = addresses as [SegmentAddress];
    const length = segmentedCallLength(segments.length);
    const block = this.#description.reserve(4 * length);
    head.memoryBytes = this.leaves.head.runtime.heap.memory.sizeBytes;
    writeSegmentedCall(block.integers(length), head, segments, this.leaves.ownerOf!.offset, listed !== undefined);
    return block.offset;
  }

  /** Write queries [begin, end), and the positions at which their exclusions begin, to every memory. */
  #writeQueries(
    prepared: readonly Prepared[],
    layouts: readonly CallLayout[],
    begin: number,
    end: number,
    stride: number,
    write: WriteQueries,
  ): void {
    const [at, ...others] = layouts.map(({ queries }) => queries / 4) as [number];
    const length = (end - begin) * stride;
    const queries = this.leaves.head.runtime.heap.memory.floats.subarray(at, at + length);
    write(begin, end, queries, stride);
    others.forEach((to, s) => {
      const { floats, integers } = this.leaves.segments[s]!.runtime.heap.memory;
      floats.set(queries, to);
      const { exclusions } = prepared[s + 1]!.plan;
      if (exclusions) integers.set(exclusions.begin.subarray(begin, end + 1), layouts[s + 1]!.begin / 4);
    });
  }
}

/** Make the views of the rows of a segment that stay in a file. */
function viewsOf(leaves: Leaves, plan: SearchPlan, views: Scratch, { threads }: CallLayout): RowViews {
  const capacity = plan.listed ? LISTED_AT_ONCE : plan.reorder;
  const stride = viewBytes(capacity, rowBytes(leaves.shape));
  const address = views.reserve(stride * threads).offset;
  writeViews(leaves.runtime.heap.memory, leaves.record, { address, stride, capacity }, threads);
  return { address, stride, capacity };
}

/** True for a call that searches leaves and excludes no candidate. */
function isPlain({ groupFilter, exclusions, listed }: SearchPlan): boolean {
  return groupFilter === undefined && exclusions === undefined && listed === undefined;
}

/** The excluded slots of one segment, as slots within it. */
function exclusionsOf(
  leaves: LeafSet,
  { slots, begin }: NonNullable<SearchPlan['exclusions']>,
  segment: number,
): NonNullable<SearchPlan['exclusions']> {
  const own: number[] = [];
  const starts = new Int32Array(begin.length);
  for (let query = 0; query + 1 < begin.length; query++) {
    for (const slot of slots.subarray(begin[query]!, begin[query + 1]!)) {
      if (leaves.segmentOf(slot) === segment) own.push(leaves.localOf(slot));
    }
    starts[query + 1] = own.length;
  }
  return { slots: Int32Array.from(own), begin: starts };
}
