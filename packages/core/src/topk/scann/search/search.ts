/**
 * Runs the search kernels for the queries of a call: lays out the scratch of each thread, writes the record of the call,
 * splits the queries over the threads and copies the results. A single query like the one before reuses its record.
 */
import { SCANN_CALL } from '../../../kernels/families/scann.ts';
import { type RecordAddress, type RecordValues, recordBytes, writeRecord } from '../../../kernels/record.ts';
import type { Block } from '../../../memory/heap.ts';
import type { LinearMemory } from '../../../memory/linear-memory.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { PanelSearch } from '../../brute-force/panel-search.ts';
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

/** What a call searches. */
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

/** Where the memory of a call stands, as offsets in bytes; those of exclusions have no meaning where there are none. */
interface CallBuffers {
  /** Queries searched in one run of the kernels. */
  group: number;
  threads: number;
  queries: number;
  scores: number;
  rows: number;
  counts: number;
  counters: number;
  /** Of the exclusions: the first of each query, the slots, and a mask of groups for each thread. */
  begin: number;
  slots: number;
  masks: number;
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
    { queries, scores, rows, counts }: CallBuffers,
    record: CallAddress,
  ) {
    const { buffer } = memory.memory;
    this.query = new Float32Array(buffer, queries, rowStride(leaves.shape.dimensions));
    this.scores = new Float32Array(buffer, scores, plan.k);
    this.rows = new Int32Array(buffer, rows, plan.k);
    this.count = new Int32Array(buffer, counts, 1);
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

/** The record of a call for the kernels, and its address. */
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
  /** For indexes whose rows are in panels. */
  readonly panels: PanelSearch;
  readonly #record: Block;
  #scratch: Block | undefined;
  #buffers: Block | undefined;
  #single: SingleCall | undefined;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.panels = new PanelSearch(runtime);
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

  /** `run` on the worker threads, one at a time; index, filter and exclusions must not change meanwhile. */
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
    const buffers = this.#placeBuffers(leaves, count, plan, isAsync);
    const record = this.#writeRecord(leaves, plan, buffers, work !== undefined);
    const name = plan.listed ? 'searchSlots' : 'searchScann';
    const stride = rowStride(leaves.shape.dimensions);
    for (let begin = 0; begin < count; begin += buffers.group) {
      const end = Math.min(begin + buffers.group, count);
      const size = end - begin;
      const queriesAt = buffers.queries / 4;
      write(begin, end, memory.floats.subarray(queriesAt, queriesAt + size * stride), stride);
      if (plan.exclusions) memory.integers.set(plan.exclusions.begin.subarray(begin, end + 1), buffers.begin / 4);
      yield { name, size, record };
      this.#readResults(buffers, begin, size, k, found);
      const countersAt = buffers.counters / 4;
      if (work) addWork(work, memory.integers.subarray(countersAt, countersAt + COUNTERS * size));
    }
    if (count === 1 && !plan.exclusions && !work && !isAsync) {
      this.#single = new SingleCall(memory, leaves, plan, buffers, record);
    }
    return found;
  }

  /** Memory for the queries and results of a call, and for the masks of its exclusions. */
  #placeBuffers(leaves: Leaves, count: number, plan: SearchPlan, isAsync: boolean): CallBuffers {
    const { heap, pool } = this.runtime;
    const { k, exclusions } = plan;
    const stride = rowStride(leaves.shape.dimensions);
    const queryBytes = 4 * stride + 8 * k + 4 + 4 * COUNTERS;
    const group = Math.max(1, Math.min(count, Math.floor(GROUP_BYTES / queryBytes)));
    const threads = group === 1 && !isAsync ? 1 : pool.threads;
    const areas = new Areas();
    const buffers: CallBuffers = {
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
    };
    if (!this.#buffers || this.#buffers.sizeBytes < areas.sizeBytes) {
      this.#buffers?.free();
      this.#buffers = heap.allocate(areas.sizeBytes);
    }
    for (const area of ['queries', 'scores', 'rows', 'counts', 'counters', 'begin', 'slots', 'masks'] as const) {
      buffers[area] += this.#buffers.offset;
    }
    return buffers;
  }

  /** The record of a call, and what it points to but the queries. */
  #writeRecord(leaves: Leaves, plan: SearchPlan, buffers: CallBuffers, isCounted: boolean): CallAddress {
    const { heap } = this.runtime;
    const { fields, scratchBytes } = this.#areas(leaves, plan);
    if (!this.#scratch || this.#scratch.sizeBytes < scratchBytes * buffers.threads) {
      this.#scratch?.free();
      this.#scratch = heap.allocate(scratchBytes * buffers.threads);
    }
    const { exclusions } = plan;
    if (exclusions) this.#writeMasks(leaves, plan, buffers);
    const values: CallValues = {
      ...fields,
      queries: buffers.queries,
      results: plan.k,
      leavesToSearch: plan.leavesToSearch,
      upperToOpen: plan.upperToOpen,
      reorder: plan.reorder,
      pruneBeta: plan.pruneBeta,
      filter: plan.filter,
      masks: exclusions ? buffers.masks : 0,
      exclusions: exclusions ? buffers.slots : 0,
      exclusionBegin: exclusions ? buffers.begin : 0,
      slots: plan.listed?.slots?.offset ?? 0,
      slotCount: plan.listed?.count ?? 0,
      scoresOut: buffers.scores,
      rowsOut: buffers.rows,
      countsOut: buffers.counts,
      countersOut: isCounted ? buffers.counters : 0,
      scratch: this.#scratch.offset,
      scratchStride: scratchBytes,
      reorderExactly: plan.reorderExactly ? 1 : 0,
    };
    return writeRecord(heap.memory, SCANN_CALL, this.#record.offset, values);
  }

  /** Copy the results of `size` queries from `begin` on. The views are made here: the memory may have grown meanwhile. */
  #readResults(buffers: CallBuffers, begin: number, size: number, k: number, found: Found): void {
    const { floats, integers } = this.runtime.heap.memory;
    const [scores, rows, counts] = [buffers.scores / 4, buffers.rows / 4, buffers.counts / 4];
    found.scores.set(floats.subarray(scores, scores + size * k), begin * k);
    found.rows.set(integers.subarray(rows, rows + size * k), begin * k);
    found.counts.set(integers.subarray(counts, counts + size), begin);
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

  /** The excluded slots, and for each thread a copy of the filter in which the search clears them. */
  #writeMasks(leaves: Leaves, { filter, exclusions }: SearchPlan, { masks, slots, threads }: CallBuffers): void {
    const { integers } = this.runtime.heap.memory;
    const { capacity } = leaves.shape;
    integers.set(exclusions!.slots, slots / 4);
    for (let thread = 0; thread < threads; thread++) {
      const at = masks / 4 + thread * capacity;
      if (filter === 0) integers.fill(-1, at, at + capacity);
      else integers.set(integers.subarray(filter / 4, filter / 4 + capacity), at);
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
