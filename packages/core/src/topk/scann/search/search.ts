/**
 * A call to the search kernels: scratch of each thread, the record of the call, queries split over the pool, equal queries
 * answered once.
 */

import { SCANN_CALL } from '../../../kernels/families/scann.ts';
import { type RecordAddress, type RecordValues, recordBytes, writeRecord } from '../../../kernels/record.ts';
import type { Block } from '../../../memory/heap.ts';
import type { LinearMemory } from '../../../memory/linear-memory.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { PANEL_CENTROIDS } from '../centroid-panels.ts';
import { GROUP_SLOTS, type Leaves, rowStride } from '../leaves.ts';

/** Work of a query, summed over a call. */
export interface SearchWork {
  queries: number;
  /** Centroids scored, leaves searched, codes scored, candidates scored exactly. */
  centroids: number;
  leaves: number;
  codes: number;
  reorders: number;
}

/** What the kernels are told of a call. */
export interface SearchPlan {
  /** Results of a query. */
  k: number;
  leavesToSearch: number;
  upperToOpen: number;
  reorder: number;
  reorderExactly: boolean;
  /** 0: groups are not skipped. */
  pruneBeta: number;
  /** Words of groups, shared by all queries; 0: none. */
  filter: number;
  /** Slots that each query leaves out; `begin` has one entry more than there are queries. */
  exclusions: { slots: Int32Array; begin: Int32Array } | undefined;
  /** Score these slots exactly instead of searching leaves. */
  listed: { slots: Block | undefined; count: number } | undefined;
}

/** Results row-major [queries, k]. */
export interface Found {
  counts: Int32Array;
  scores: Float32Array;
  rows: Int32Array;
}

/** Copies queries [begin, end), already scaled, to rows of a stride. */
export type WriteQueries = (begin: number, end: number, to: Float32Array, stride: number) => void;

const LINE = 64;
/** Bins of one score each that the exact cut may need: the range of int16. */
const HISTOGRAM_BYTES = 4 * 65_536;
/** Queries a thread claims at a time. */
const GRAIN = 4;
/** Memory of the queries and results of one group. */
const GROUP_BYTES = 32 * 2 ** 20;
const COUNTERS = 4;

/** Bump allocation of areas, each at a cache line. */
class Areas {
  sizeBytes: number = LINE;

  take(bytes: number): number {
    const at = this.sizeBytes;
    this.sizeBytes += Math.ceil(bytes / LINE) * LINE + LINE;
    return at;
  }
}

/** A call of one query whose record may serve the next one: the same index and the same plan, a new query. */
class SingleCall {
  readonly query: Float32Array;
  readonly scores: Float32Array;
  readonly rows: Int32Array;
  readonly count: Int32Array;
  /** Of the call, as it was written. */
  readonly record: CallAddress;
  readonly #leaves: Leaves;
  readonly #capacity: number;
  readonly #plan: SearchPlan;

  constructor(
    memory: LinearMemory,
    leaves: Leaves,
    plan: SearchPlan,
    query: number,
    scores: number,
    rows: number,
    count: number,
    record: CallAddress,
  ) {
    const { buffer } = memory.memory;
    this.query = new Float32Array(buffer, query, rowStride(leaves.shape.dimensions));
    this.scores = new Float32Array(buffer, scores, plan.k);
    this.rows = new Int32Array(buffer, rows, plan.k);
    this.count = new Int32Array(buffer, count, 1);
    this.record = record;
    this.#leaves = leaves;
    this.#capacity = leaves.shape.groups;
    this.#plan = plan;
  }

  serves(leaves: Leaves, plan: SearchPlan): boolean {
    const own = this.#plan;
    return (
      this.#leaves === leaves &&
      this.#capacity === leaves.shape.groups &&
      own.k === plan.k &&
      own.leavesToSearch === plan.leavesToSearch &&
      own.upperToOpen === plan.upperToOpen &&
      own.reorder === plan.reorder &&
      own.pruneBeta === plan.pruneBeta &&
      own.filter === plan.filter &&
      plan.exclusions === undefined &&
      own.listed?.slots === plan.listed?.slots &&
      own.listed?.count === plan.listed?.count
    );
  }
}

/** What the kernels are told of a call, and where it stands. */
type CallValues = RecordValues<typeof SCANN_CALL>;
type CallAddress = RecordAddress<typeof SCANN_CALL>;

/** A kernel to run over `size` queries. */
interface SearchJob {
  name: 'searchSlots' | 'searchScann';
  size: number;
  record: CallAddress;
}

/** Runs calls on one index after another with the same memory. */
export class ScannSearch {
  readonly runtime: Runtime;
  readonly #record: Block;
  #scratch: Block | undefined;
  #buffers: Block | undefined;
  #single: SingleCall | undefined;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.#record = runtime.heap.allocate(recordBytes(SCANN_CALL));
  }

  /**
   * Search with queries [count, dimensions] that `write` copies, already scaled, to rows of the index's stride.
   */
  run(leaves: Leaves, count: number, write: WriteQueries, plan: SearchPlan, work: SearchWork | undefined): Found {
    if (count === 1 && !work && this.#single?.serves(leaves, plan)) {
      return this.#runSingle(this.#single, leaves, write, plan);
    }
    const { kernels, pool } = this.runtime;
    const steps = this.#steps(leaves, count, write, plan, work, false);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      const { name, size, record } = step.value;
      if (size === 1) kernels[name](0, 1, 0, leaves.record, record);
      else pool.run(name, size, GRAIN, leaves.record, record);
    }
  }

  /** `run` on the worker threads; the index and what the plan names must stay as they are meanwhile. One at a time. */
  async runAsync(
    leaves: Leaves,
    count: number,
    write: WriteQueries,
    plan: SearchPlan,
    work: SearchWork | undefined,
  ): Promise<Found> {
    const steps = this.#steps(leaves, count, write, plan, work, true);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      const { name, size, record } = step.value;
      await this.runtime.pool.runAsync(name, size, GRAIN, leaves.record, record);
    }
  }

  /** Everything but the kernels themselves: yields each call of one with the number of its queries. */
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
    const { heap, pool } = this.runtime;
    const stride = rowStride(leaves.shape.dimensions);
    const rowBytes = 4 * stride + 8 * k + 4 + 4 * COUNTERS;
    const group = Math.max(1, Math.min(count, Math.floor(GROUP_BYTES / rowBytes)));
    const buffers = new Areas();
    const queriesAt = buffers.take(4 * stride * group);
    const scoresAt = buffers.take(4 * k * group);
    const rowsAt = buffers.take(4 * k * group);
    const countsAt = buffers.take(4 * group);
    const countersAt = buffers.take(4 * COUNTERS * group);
    const { exclusions } = plan;
    const beginAt = exclusions ? buffers.take(4 * (count + 1)) : 0;
    const slotsAt = exclusions ? buffers.take(4 * exclusions.slots.length) : 0;
    const threads = group === 1 && !isAsync ? 1 : pool.threads;
    const masksAt = exclusions ? buffers.take(4 * leaves.shape.capacity * threads) : 0;
    if (!this.#buffers || this.#buffers.sizeBytes < buffers.sizeBytes) {
      this.#buffers?.free();
      this.#buffers = heap.allocate(buffers.sizeBytes);
    }
    const base = this.#buffers.offset;
    const { fields, scratchBytes } = this.#areas(leaves, plan);
    if (!this.#scratch || this.#scratch.sizeBytes < scratchBytes * threads) {
      this.#scratch?.free();
      this.#scratch = heap.allocate(scratchBytes * threads);
    }
    if (exclusions) this.#writeMasks(leaves, plan, base + masksAt, threads, base + slotsAt);
    const values: CallValues = {
      ...fields,
      queries: base + queriesAt,
      results: k,
      leavesToSearch: plan.leavesToSearch,
      upperToOpen: plan.upperToOpen,
      reorder: plan.reorder,
      pruneBeta: plan.pruneBeta,
      filter: plan.filter,
      masks: exclusions ? base + masksAt : 0,
      exclusions: exclusions ? base + slotsAt : 0,
      exclusionBegin: exclusions ? base + beginAt : 0,
      slots: plan.listed?.slots?.offset ?? 0,
      slotCount: plan.listed?.count ?? 0,
      scoresOut: base + scoresAt,
      rowsOut: base + rowsAt,
      countsOut: base + countsAt,
      countersOut: work ? base + countersAt : 0,
      scratch: this.#scratch.offset,
      scratchStride: scratchBytes,
      reorderExactly: plan.reorderExactly ? 1 : 0,
    };
    const record = writeRecord(heap.memory, SCANN_CALL, this.#record.offset, values);
    const name = plan.listed ? 'searchSlots' : 'searchScann';
    for (let begin = 0; begin < count; begin += group) {
      const end = Math.min(begin + group, count);
      const size = end - begin;
      const at = (offset: number): number => (base + offset) / 4;
      write(begin, end, heap.memory.floats.subarray(at(queriesAt), at(queriesAt) + size * stride), stride);
      if (exclusions) heap.memory.integers.set(exclusions.begin.subarray(begin, end + 1), at(beginAt));
      yield { name, size, record };
      // Asked for again: the memory may have grown meanwhile.
      const { floats, integers } = heap.memory;
      found.scores.set(floats.subarray(at(scoresAt), at(scoresAt) + size * k), begin * k);
      found.rows.set(integers.subarray(at(rowsAt), at(rowsAt) + size * k), begin * k);
      found.counts.set(integers.subarray(at(countsAt), at(countsAt) + size), begin);
      if (work) addWork(work, integers.subarray(at(countersAt), at(countersAt) + COUNTERS * size));
    }
    if (count === 1 && !exclusions && !work && !isAsync) {
      this.#single = new SingleCall(
        heap.memory,
        leaves,
        plan,
        base + queriesAt,
        base + scoresAt,
        base + rowsAt,
        base + countsAt,
        record,
      );
    }
    return found;
  }

  /** The record of the last call holds: only the query is new. */
  #runSingle(call: SingleCall, leaves: Leaves, write: WriteQueries, plan: SearchPlan): Found {
    write(0, 1, call.query, call.query.length);
    const { kernels } = this.runtime;
    if (plan.listed) kernels.searchSlots(0, 1, 0, leaves.record, call.record);
    else kernels.searchScann(0, 1, 0, leaves.record, call.record);
    return { counts: call.count.slice(), scores: call.scores.slice(), rows: call.rows.slice() };
  }

  /** Give the memory back. */
  free(): void {
    this.#scratch?.free();
    this.#buffers?.free();
    this.#scratch = this.#buffers = undefined;
    this.#single = undefined;
  }

  /** Where a thread's areas begin, and how many bytes they are. */
  #areas(leaves: Leaves, plan: SearchPlan): { fields: CallValues; scratchBytes: number } {
    const { shape } = leaves;
    const stride = rowStride(shape.dimensions);
    const leafSlots = (Math.ceil(Math.max(shape.leaves, shape.upperGroups) / PANEL_CENTROIDS) + 1) * PANEL_CENTROIDS;
    const groups = plan.listed ? 0 : leaves.groupsOfLargest(plan.leavesToSearch) + 1;
    const points = plan.listed ? plan.listed.count : groups * GROUP_SLOTS;
    const blocks = shape.productBlocks + shape.correctionBlocks;
    const padded = 4 * Math.max(stride, shape.productBlocks * shape.blockWidth) + LINE;
    const areas = new Areas();
    const fields = Object.fromEntries(Object.keys(SCANN_CALL.fields).map((field) => [field, 0])) as CallValues;
    fields.areaQuery = areas.take(2 * padded);
    fields.areaQuery16 = areas.take(2 * stride + LINE);
    fields.areaScores = areas.take(4 * leafSlots);
    fields.areaMaxima = areas.take(leafSlots);
    fields.areaPanels = areas.take(leafSlots);
    fields.areaKeys = areas.take(8 * Math.max(2 * leafSlots, points));
    fields.areaValues = areas.take(64 * blocks);
    fields.areaMinima = areas.take(4 * blocks);
    fields.areaTables = areas.take(16 * blocks);
    fields.areaGroupIds = areas.take(4 * groups);
    fields.areaGroupMaxima = areas.take(32 * groups);
    fields.areaGroupScores = areas.take(64 * groups);
    fields.areaSlots = areas.take(4 * points);
    fields.areaSlotScores = areas.take(4 * points);
    fields.areaHistogram = areas.take(plan.listed ? 0 : HISTOGRAM_BYTES);
    fields.areaBest = areas.take(8 * (2 * plan.k + 32));
    return { fields, scratchBytes: areas.sizeBytes };
  }

  #writeMasks(leaves: Leaves, plan: SearchPlan, masks: number, threads: number, slots: number): void {
    const { integers } = this.runtime.heap.memory;
    const { capacity } = leaves.shape;
    integers.set(plan.exclusions!.slots, slots / 4);
    for (let thread = 0; thread < threads; thread++) {
      const at = masks / 4 + thread * capacity;
      if (plan.filter === 0) integers.fill(-1, at, at + capacity);
      else integers.set(integers.subarray(plan.filter / 4, plan.filter / 4 + capacity), at);
    }
  }
}

function addWork(work: SearchWork, counters: Int32Array): void {
  for (let i = 0; i < counters.length; i += COUNTERS) {
    work.queries++;
    work.centroids += counters[i]!;
    work.leaves += counters[i + 1]!;
    work.codes += counters[i + 2]!;
    work.reorders += counters[i + 3]!;
  }
}
