/**
 * The exact search over packed candidates: lays out the memory of a call and splits its work into jobs.
 *
 * Each query has one buffer of its best rows per thread (assembly/topk.ts). The same block holds the scores of a tile,
 * the masks and the results. Queries are searched in groups, so the memory of a call does not grow with their number.
 */
import { MemoryAreas, roundUp } from '../../memory/memory-areas.ts';
import { Scratch, takeFewer } from '../../memory/scratch.ts';
import type { PoolJob } from '../../parallel/pool.ts';
import type { Runtime } from '../../parallel/runtime.ts';
import { writeQueries } from '../queries.ts';
import type { QueryMasks } from '../row-mask.ts';
import type { VectorSource } from '../vector-source.ts';
import type { CoarseCodes } from './coarse-codes.ts';
import { PANEL_ROWS, type PanelStore } from './panel-store.ts';

/** Queries of a work item; the kernels use the same constant. */
export const QUERY_BLOCK = 64;
/** The most queries of a group: enough blocks to keep many threads busy. */
const GROUP_QUERIES_MAX = 1024;
/** Memory of a group's buffers and masks. */
const GROUP_BYTES = 32 * 2 ** 20;
/** Bytes of a tile of scores: 4 queries of one panel per dimension of a 32 KiB tile of candidates. */
const TILE_BYTES = 32_768;
/** A buffer has at least this many entries more than k, so that a small k does not cause a compaction every few rows. */
const SLACK_MIN = 32;
/** Scratch up to this size is kept for the next call. */
const KEEP_BYTES = 2 * GROUP_BYTES;

/** Best rows of queries, row-major [queries, k]. */
export interface Best {
  counts: Int32Array;
  scores: Float32Array;
  rows: Int32Array;
}

/** Results of `queries` queries, none found yet. */
export function emptyBest(queries: number, k: number): Best {
  return { counts: new Int32Array(queries), scores: new Float32Array(queries * k), rows: new Int32Array(queries * k) };
}

/** Entries of a buffer: the k best, and as many again that are filled before the next compaction. */
export function bufferCapacity(k: number): number {
  return k + Math.max(k, SLACK_MIN);
}

/** Bytes of a buffer: 16 of its header and 8 per entry. */
export function bufferBytes(k: number): number {
  return roundUp(16 + 8 * bufferCapacity(k));
}

/** Bytes of one thread's scores of a tile. */
export function tileBytes(dimensions: number): number {
  return roundUp(4 * PANEL_ROWS * 4 * Math.max(1, Math.min(1024, Math.floor(TILE_BYTES / (dimensions * 32)))));
}

/** Bytes of a coded query: its codes as int8 and as int16. */
function codedBytes(dimensions: number): number {
  return 3 * roundUp(Math.ceil(dimensions / 4) * 4);
}

/** Searches one store after another with the same scratch. */
export class PanelSearch {
  readonly runtime: Runtime;
  readonly #scratch: Scratch;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.#scratch = new Scratch(runtime.heap);
  }

  /**
   * The k ≤ store.rows best rows of each query.
   *
   * @param coarse codes of the store; with them queries are taken one by one, and the results are the same
   * @param isSquared the score is −|q − x|², without coarse codes; default ⟨q, x⟩
   */
  run(
    store: PanelStore,
    queries: VectorSource,
    k: number,
    mask: QueryMasks | undefined,
    coarse?: CoarseCodes,
    isSquared?: boolean,
  ): Best {
    const steps = this.#steps(store, queries, k, mask, coarse, isSquared);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) return step.value;
      step.value.run();
    }
  }

  /** `run` on the worker threads, one at a time; its arguments must not change meanwhile. */
  async runAsync(
    store: PanelStore,
    queries: VectorSource,
    k: number,
    mask: QueryMasks | undefined,
    coarse?: CoarseCodes,
    isSquared?: boolean,
  ): Promise<Best> {
    const steps = this.#steps(store, queries, k, mask, coarse, isSquared);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) return step.value;
      await step.value.runAsync();
    }
  }

  /** The search, which yields each job for the pool. */
  *#steps(
    store: PanelStore,
    queries: VectorSource,
    k: number,
    mask: QueryMasks | undefined,
    coarse: CoarseCodes | undefined,
    isSquared = false,
  ): Generator<PoolJob, Best, void> {
    const best = emptyBest(queries.rows, k);
    if (k === 0 || queries.rows === 0) return best;
    const { pool, kernels, heap } = this.runtime;
    const slots = pool.threads;
    const stride = bufferBytes(k);
    const maskStride = mask?.isPerQuery ? mask.words * 4 : 0;
    const groupMax = Math.max(
      1,
      Math.min(queries.rows, GROUP_QUERIES_MAX, Math.floor(GROUP_BYTES / (slots * stride + maskStride))),
    );
    const d = store.dimensions;
    let group = 0;
    const [queriesAt, masksAt, tilesAt, buffersAt, scoresAt, rowsAt, countsAt, codesAt] = takeFewer(
      this,
      groupMax,
      (count) => {
        group = count;
        return this.#places([
          group * d * 4,
          group * maskStride || 4 * (mask?.words ?? 0),
          slots * tileBytes(d),
          slots * group * stride,
          group * k * 4,
          group * k * 4,
          group * 4,
          coarse ? codedBytes(d) : 0,
        ]);
      },
    );
    const scan: Scan = {
      store,
      isSquared,
      queriesAt,
      masksAt: mask ? masksAt : 0,
      maskStride,
      tilesAt,
      tile: tileBytes(d),
      buffersAt,
      stride,
      slotStride: group * stride,
      codesAt,
    };
    for (let begin = 0; begin < queries.rows; begin += group) {
      const end = Math.min(begin + group, queries.rows);
      const count = end - begin;
      writeQueries(this.runtime, queries, begin, end, queriesAt);
      if (mask) mask.write(begin, end, heap.memory.integers.subarray(masksAt / 4, tilesAt / 4));
      kernels.resetBuffers(buffersAt, slots * group, stride, k, bufferCapacity(k));
      if (coarse) {
        for (let query = 0; query < count; query++) yield this.#scanCoarse(scan, coarse, query);
      } else yield this.#scanPanels(scan, 0, count);
      const places = [scoresAt, rowsAt, countsAt] as const;
      yield pool.job('finishBuffers', count, 16, buffersAt, stride, group * stride, slots, k, ...places);
      // The views are made again: the memory may have grown meanwhile.
      const { integers, floats } = heap.memory;
      best.scores.set(floats.subarray(scoresAt / 4, scoresAt / 4 + count * k), begin * k);
      best.rows.set(integers.subarray(rowsAt / 4, rowsAt / 4 + count * k), begin * k);
      best.counts.set(integers.subarray(countsAt / 4, countsAt / 4 + count), begin);
    }
    if (this.#scratch.sizeBytes > KEEP_BYTES) this.free();
    return best;
  }

  /** The job that scores queries [first, first + count) of the group against everything. */
  #scanPanels({ store, isSquared, ...at }: Scan, first: number, count: number): PoolJob {
    return this.runtime.pool.job('searchPanels', Math.ceil(count / QUERY_BLOCK) * store.chunkCount, 1, {
      queries: at.queriesAt + first * store.dimensions * 4,
      queryCount: count,
      d: store.dimensions,
      squared: Number(isSquared),
      chunks: store.chunkTable,
      chunkCount: store.chunkCount,
      chunksPerItem: 1,
      n: store.rows,
      rowShift: 0,
      mask: at.masksAt && at.masksAt + first * at.maskStride,
      maskStride: at.maskStride,
      scratch: at.tilesAt,
      scratchStride: at.tile,
      buffers: at.buffersAt + first * at.stride,
      bufferStride: at.stride,
      slotStride: at.slotStride,
    });
  }

  /** The job that scores one query of the group against what the coarse codes do not rule out. */
  #scanCoarse(scan: Scan, coarse: CoarseCodes, query: number): PoolJob {
    const { store, queriesAt, codesAt } = scan;
    const d = store.dimensions;
    const from = queriesAt + query * d * 4;
    const { memory } = this.runtime.heap;
    const coded = coarse.code(memory.floats.subarray(from / 4, from / 4 + d));
    if (!coded) return this.#scanPanels(scan, query, 1);
    const shortsAt = codesAt + roundUp(coded.codes.length);
    new Int8Array(memory.memory.buffer, codesAt, coded.codes.length).set(coded.codes);
    new Int16Array(memory.memory.buffer, shortsAt, coded.codes.length).set(coded.codes);
    return this.runtime.pool.job('searchCoarse', store.chunkCount, 1, {
      query: from,
      queryBytes: codesAt,
      queryShorts: shortsAt,
      offset: coded.offset,
      queryScale: coded.scale,
      slack: coded.slack,
      d,
      chunks: store.chunkTable,
      codeChunks: coarse.codeTable,
      scaleChunks: coarse.scaleTable,
      n: store.rows,
      mask: scan.masksAt && scan.masksAt + query * scan.maskStride,
      scratch: scan.tilesAt,
      scratchStride: scan.tile,
      buffers: scan.buffersAt + query * scan.stride,
      slotStride: scan.slotStride,
    });
  }

  /** Give the scratch back; the next run takes new. */
  free(): void {
    this.#scratch.free();
  }

  /** Offsets of areas of these sizes in the scratch, each at a cache line. */
  #places(sizes: readonly number[]): Offsets {
    const areas = new MemoryAreas();
    const places = sizes.map((size) => areas.take(size));
    const { offset } = this.#scratch.reserve(areas.sizeBytes);
    return places.map((at) => offset + at) as Offsets;
  }
}

/** Byte offsets of the parts of one group's scan, and their strides per query and per thread. */
interface Scan {
  store: PanelStore;
  /** The score is −|q − x|², else ⟨q, x⟩. */
  isSquared: boolean;
  queriesAt: number;
  /** 0: every row is allowed. */
  masksAt: number;
  maskStride: number;
  tilesAt: number;
  tile: number;
  buffersAt: number;
  stride: number;
  slotStride: number;
  codesAt: number;
}

type Offsets = [number, number, number, number, number, number, number, number];
