/**
 * The table of kernels: the one seam between orchestration and the hot loops. Three implementations: the readable
 * reference (reference/), WebAssembly SIMD128 and WebAssembly relaxed SIMD (packages/core/assembly). A native one over
 * the same memory could be a fourth.
 *
 * Every argument is a number: byte offsets into the linear memory, counts, strides (in floats) or float32 scalars.
 * Kernels allocate nothing and throw nothing; callers have checked every shape. A kernel with work items takes
 * `(begin, end, slot, …)` first, so that the worker pool can split it; `slot` is the number of the thread, for kernels
 * that need scratch of their own. Formulas and layouts stand at each kernel in packages/core/assembly.
 */

/** A kernel that the worker pool may split over its work items. */
export type ParallelKernel = (begin: number, end: number, slot: number, ...rest: number[]) => void;

/** matmul: products of row-major float32 matrices. */
export interface MatmulKernels {
  /** packed[p][t][i] = B[8p + i][t]. Items: panels of 8 rows. */
  packPanels(begin: number, end: number, slot: number, b: number, n: number, d: number, packed: number): void;
  /** out[r][j] = Σ_t A[r][t] · packed row j [t], for whole panels. */
  scorePanels(
    a: number,
    rowBegin: number,
    rowEnd: number,
    d: number,
    packed: number,
    panelBegin: number,
    panelEnd: number,
    out: number,
    outStride: number,
  ): void;
  /** C = A · B; d a multiple of 4. Items: rows of A. */
  multiplyRows(
    begin: number,
    end: number,
    slot: number,
    a: number,
    aStride: number,
    n: number,
    b: number,
    d: number,
    c: number,
  ): void;
  /** C += Aᵀ · B; d a multiple of 4. Items: groups of 4 columns of A. */
  multiplyTransposed(
    begin: number,
    end: number,
    slot: number,
    a: number,
    aStride: number,
    m: number,
    n: number,
    b: number,
    d: number,
    c: number,
  ): void;
}

/** checksum: are saved bytes what they were? */
export interface ChecksumKernels {
  /** out[i] = XXH64 of chunk i of data, as u64. Items: chunks of chunkBytes, the last one shorter. */
  hashChunks(
    begin: number,
    end: number,
    slot: number,
    data: number,
    sizeBytes: number,
    chunkBytes: number,
    out: number,
  ): void;
}

/** checks: properties of whole arrays. */
export interface CheckKernels {
  /** The index of the first float that is NaN or infinite; −1 when all are finite. */
  findNotFinite(values: number, length: number): number;
}

/** topk: the k best scores of each query, score descending, ties by row ascending. */
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

/** All kernels. */
export interface KernelTable extends MatmulKernels, ChecksumKernels, CheckKernels, TopKKernels {}

/** The name of a kernel. */
export type KernelName = keyof KernelTable;

/** The names of the kernels that take `(begin, end, slot, …)`; their order is the number the worker pool sends. */
export const PARALLEL_KERNELS: readonly ParallelKernelName[] = [
  'packPanels',
  'multiplyRows',
  'multiplyTransposed',
  'hashChunks',
  'searchPanels',
  'finishBuffers',
];

/** The name of a kernel the pool can split. */
export type ParallelKernelName =
  | 'packPanels'
  | 'multiplyRows'
  | 'multiplyTransposed'
  | 'hashChunks'
  | 'searchPanels'
  | 'finishBuffers';

/** Which implementation a table is. */
export type KernelVariant = 'reference' | 'simd128' | 'relaxed';
