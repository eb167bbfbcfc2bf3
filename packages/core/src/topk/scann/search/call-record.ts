/** The record of a call, which the search kernels read, and the scratch memory of each thread that it points to. */
import { SCANN_CALL, SCANN_STATE } from '../../../kernels/families/scann.ts';
import { type RecordAddress, type RecordValues, recordBytes, writeRecord } from '../../../kernels/record.ts';
import type { Block } from '../../../memory/heap.ts';
import { LINE, MemoryAreas } from '../../../memory/memory-areas.ts';
import { Scratch } from '../../../memory/scratch.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { PANEL_CENTROIDS } from '../centroid-panels.ts';
import { GROUP_SLOTS, type Leaves, rowStride } from '../leaves.ts';
import type { CallLayout } from './call-buffers.ts';
import type { SearchPlan } from './plan.ts';

/** Bytes of the histogram of scores: a bin of 4 bytes for each int16 value. */
const HISTOGRAM_BYTES = 4 * 65_536;

type CallValues = RecordValues<typeof SCANN_CALL>;
/** The address of a call's record. */
export type CallAddress = RecordAddress<typeof SCANN_CALL>;

/** Writes the record of one call after another to the same place. */
export class CallRecord {
  readonly #runtime: Runtime;
  readonly #record: Block;
  readonly #scratch: Scratch;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#record = runtime.heap.allocate(recordBytes(SCANN_CALL));
    this.#scratch = new Scratch(runtime.heap);
  }

  /** Write the record of a call, and allocate the scratch memory that it points to. */
  write(leaves: Leaves, plan: SearchPlan, layout: CallLayout, isCounted: boolean): CallAddress {
    const { heap } = this.#runtime;
    const { fields, scratchBytes } = threadAreas(leaves, plan);
    const scratch = this.#scratch.reserve(scratchBytes * layout.threads * Math.max(1, layout.block)).offset;
    const { exclusions } = plan;
    const values: CallValues = {
      ...fields,
      queries: layout.queries,
      results: plan.k,
      leavesToSearch: plan.leavesToSearch,
      upperToOpen: plan.upperToOpen,
      reorder: plan.reorder,
      pruneBeta: plan.pruneBeta,
      boundRank: plan.boundRank,
      filter: plan.filter,
      masks: exclusions ? layout.masks : 0,
      exclusions: exclusions ? layout.slots : 0,
      exclusionBegin: exclusions ? layout.begin : 0,
      slots: plan.listed?.slots?.offset ?? 0,
      slotCount: plan.listed?.count ?? 0,
      scoresOut: layout.scores,
      rowsOut: layout.rows,
      countsOut: layout.counts,
      countersOut: isCounted ? layout.counters : 0,
      scratch,
      scratchStride: scratchBytes,
      blockQueries: layout.block,
      batchKeys: layout.batchKeys,
      batchPlans: layout.batchPlans,
      order: layout.order,
      reorderExactly: plan.reorderExactly ? 1 : 0,
    };
    return writeRecord(heap.memory, SCANN_CALL, this.#record.offset, values);
  }

  /** Give the scratch memory back; the record itself is kept for the next call. */
  free(): void {
    this.#scratch.free();
  }
}

/** Bytes of the scratch memory of a query. */
export function scratchBytesOf(leaves: Leaves, plan: SearchPlan): number {
  return threadAreas(leaves, plan).scratchBytes;
}

/** A record in which only the offsets of a thread's areas are set, and the bytes of these areas. */
function threadAreas(leaves: Leaves, plan: SearchPlan): { fields: CallValues; scratchBytes: number } {
  const { shape } = leaves;
  const stride = rowStride(shape.dimensions);
  const leafSlots = (Math.ceil(Math.max(shape.leaves, shape.upperGroups) / PANEL_CENTROIDS) + 1) * PANEL_CENTROIDS;
  const groups = plan.listed ? 0 : leaves.groupsOfLargest(plan.leavesToSearch) + 1;
  const points = plan.listed ? plan.listed.count : groups * GROUP_SLOTS;
  const blocks = shape.productBlocks + shape.correctionBlocks;
  const padded = 4 * Math.max(stride, shape.productBlocks * shape.blockWidth) + LINE;
  const areas = new MemoryAreas();
  const fields = Object.fromEntries(Object.keys(SCANN_CALL.fields).map((field) => [field, 0])) as CallValues;
  fields.areaQuery = areas.take(padded);
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
  fields.areaBest = areas.take(8 * (2 * Math.max(plan.k, plan.boundRank) + 32));
  fields.areaState = areas.take(recordBytes(SCANN_STATE));
  return { fields, scratchBytes: areas.sizeBytes };
}
