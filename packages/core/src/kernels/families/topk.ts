/** The k best scores of each query, score descending, ties by row ascending. Formulas and layouts: packages/core/assembly/topk.ts. */

/** The topk kernels. */
export interface TopKKernels {
  /** Make buffers of 16 + 8 · capacity bytes empty; capacity > k ≥ 1. */
  resetBuffers(buffers: number, count: number, strideBytes: number, k: number, capacity: number): void;
  /** Offer the scores of rows [row, rowEnd) to a buffer; a row whose bit in `mask` is 0 is passed over. */
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
  searchPanels(
    begin: number,
    end: number,
    slot: number,
    queries: number,
    queryCount: number,
    d: number,
    chunks: number,
    chunkCount: number,
    chunksPerItem: number,
    n: number,
    rowShift: number,
    mask: number,
    maskStride: number,
    scratch: number,
    scratchStride: number,
    buffers: number,
    bufferStride: number,
    slotStride: number,
  ): void;
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
