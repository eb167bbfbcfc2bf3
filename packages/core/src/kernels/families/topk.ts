/** The k best scores of each query, score descending, ties by row ascending. Formulas and layouts: packages/core/assembly/topk.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of searchPanels. */
export const SEARCH_PANELS = {
  name: 'searchPanels',
  fields: {
    /** [queryCount, d] float32. */
    queries: 'usize',
    queryCount: 'i32',
    d: 'i32',
    /** 1: the score is −Σ (q − x)²; 0: Σ q·x. */
    squared: 'i32',
    /** u32 offsets of chunks of 8,192 packed candidates. */
    chunks: 'usize',
    chunkCount: 'i32',
    /** Chunks of a work item. */
    chunksPerItem: 'i32',
    /** Candidates. */
    n: 'i32',
    /** The number that is added to the number of a row. */
    rowShift: 'i32',
    /** Bits of the rows that may be returned (0: all), and bytes from query to query (0: one mask for all). */
    mask: 'usize',
    maskStride: 'i32',
    /** Scores of a tile of each slot, `scratchStride` bytes apart. */
    scratch: 'usize',
    scratchStride: 'i32',
    /** The buffer of query b on a slot is at buffers + slot · slotStride + b · bufferStride. */
    buffers: 'usize',
    bufferStride: 'i32',
    slotStride: 'i32',
  },
} as const;

/** The kernels that keep the best rows. */
export interface TopKKernels {
  /** Make buffers of 16 + 8 · capacity bytes empty; capacity > k ≥ 1. */
  resetBuffers(buffers: number, count: number, strideBytes: number, k: number, capacity: number): void;
  /** Offer the scores of rows [row, rowEnd) to a buffer; a row whose bit in `mask` is 0 is skipped. */
  offerPanels(
    buffer: number,
    scores: number,
    panels: number,
    row: number,
    rowEnd: number,
    rowShift: number,
    mask: number,
  ): void;
  /** Score queries against chunks of packed panels and keep the best. Items: (64 queries, run of chunks). */
  searchPanels(begin: number, end: number, slot: number, call: RecordAddress<typeof SEARCH_PANELS>): void;
  /** Merge the slots' buffers, sort, write scores and rows [queries, k] and counts. Items: queries. */
  finishBuffers(
    begin: number,
    end: number,
    slot: number,
    buffers: number,
    bufferStride: number,
    slotStride: number,
    slots: number,
    k: number,
    scores: number,
    rows: number,
    counts: number,
  ): void;
}
