/** Search of leaves of 4-bit codes. Formulas and layouts: packages/core/assembly/scann.ts. */
import type { RecordAddress } from '../record.ts';

/** Bytes of a row of `stride` numbers: 4, 2 or 1 for each, and 4 for the factor of a row of kind 3. */
export function rowBytesOf(rowKind: number, stride: number): number {
  return rowKind > 2 ? stride + 4 : (4 * stride) >> rowKind;
}

/** A ScaNN index. */
export const SCANN_INDEX = {
  name: 'scannIndex',
  fields: {
    /** Floats from row to row, the dimensions of a row rounded up to 4. */
    stride: 'i32',
    /** d, the dimensions of centroids and codes. */
    dimensions: 'i32',
    /** Pairs of dimensions of an int16 centroid, an even number. */
    pairs: 'i32',
    /** Panels of 16 centroids of leaves. */
    leafPanels: 'i32',
    /** [panel][pair][16][2] int16. */
    centroids: 'usize',
    /** The scale of int16 centroids. */
    centroidUnscale: 'f32',
    /** [16 · panels] float32 added to a leaf's score, −∞ past the last. */
    leafAddend: 'usize',
    /** [leaves] float32: 1/|c|. */
    leafInverseNorm: 'usize',
    /** [leaves + 1] int32: the first group of each leaf. */
    leafGroups: 'usize',
    /** [leaves] int32: the first group of the chain that updates added, −1 none; 0: no updates. */
    leafExtra: 'usize',
    /** [groups] int32: the next group of a chain, −1 at its end. */
    nextGroup: 'usize',
    /** The upper tree, like the leaves' centroids: panels, centroids, scale, addends. */
    upperPanels: 'i32',
    upperCentroids: 'usize',
    upperUnscale: 'f32',
    upperAddend: 'usize',
    /** [upper groups + 1] int32: the first leaf of each. */
    upperLeaves: 'usize',
    /** Blocks of 4-bit codes, and dimensions of each. */
    productBlocks: 'i32',
    blockWidth: 'i32',
    /** [blocks][width][16] float32. */
    codebook: 'usize',
    /** Blocks of corrections, and their values [correctionBlocks][16] float32. */
    correctionBlocks: 'i32',
    corrections: 'usize',
    /** 1: corrections are shares of the best leaf's score. */
    correctionIsRelative: 'i32',
    /** [groups][blocks][16] bytes. */
    codes: 'usize',
    /** [groups, 32] int32: the row of each slot. */
    rowOf: 'usize',
    /** [groups] bit words: the slots that hold a point. */
    valid: 'usize',
    /** [leaves] int32: the first quad of each leaf in `bounds`; 0: groups are not skipped. */
    leafBounds: 'usize',
    /** [quads][2][4] float32. */
    bounds: 'usize',
    /** Rows for reordering: 0 float32, 1 bfloat16, 2 int8 with one scale per dimension, 3 the same with a factor of each row. */
    rows: 'usize',
    rowKind: 'i32',
    rowScales: 'usize',
    /** [slots] int32: the place of each slot's row; 0: the row is at the slot. */
    placeOf: 'usize',
    /** 1: scores are −|q − x|², 0: ⟨q, x⟩. */
    squared: 'i32',
    /** [d] float32 subtracted from queries; 0: none. */
    mean: 'usize',
    /** Slots a row may have. */
    copies: 'i32',
    /** Groups there is room for. */
    groups: 'i32',
    /** The columns of the matrix that queries are multiplied by, in panels of 16, int16; 0: none. */
    rotation: 'usize',
    rotationUnscale: 'f32',
    /** d rounded up to 4. */
    codedStride: 'i32',
    /** 1: rows have more than d dimensions, of which the first d are coded. */
    isPrefix: 'i32',
  },
} as const;

/** A call of searchScann or searchSlots. */
export const SCANN_CALL = {
  name: 'scannCall',
  fields: {
    /** [queries, stride] float32. */
    queries: 'usize',
    /** k. */
    results: 'i32',
    /** Leaves searched, groups of the upper tree opened (0: no upper tree), candidates reordered. */
    leavesToSearch: 'i32',
    upperToOpen: 'i32',
    reorder: 'i32',
    /** A group is skipped when its bound is more than this many standard errors below the threshold; 0: none is. */
    pruneBeta: 'f32',
    /** The rank of the score that is the threshold, among the points scanned so far; at least k. */
    boundRank: 'i32',
    /** [groups] bit words of the slots that may be returned; 0: all. */
    filter: 'usize',
    /** [slots of threads][groups] bit words for the exclusions of a query. */
    masks: 'usize',
    /** The excluded slots of the queries, and [queries + 1] where each query's slots begin; 0: none. */
    exclusions: 'usize',
    exclusionBegin: 'usize',
    /** Slots to score instead of leaves (0: all), and how many. */
    slots: 'usize',
    slotCount: 'i32',
    /** [queries, k] float32 and int32, [queries] int32, written. */
    scoresOut: 'usize',
    rowsOut: 'usize',
    countsOut: 'usize',
    /** [queries, 4] int32: work, written; 0: not counted. */
    countersOut: 'usize',
    /** Scratch of the threads, and bytes from one to the next. */
    scratch: 'usize',
    scratchStride: 'usize',
    /** Byte offsets of the parts of a thread's scratch, from its start. */
    areaQuery: 'usize',
    areaQuery16: 'usize',
    areaScores: 'usize',
    areaMaxima: 'usize',
    areaPanels: 'usize',
    areaKeys: 'usize',
    areaValues: 'usize',
    areaMinima: 'usize',
    areaTables: 'usize',
    areaGroupIds: 'usize',
    areaGroupMaxima: 'usize',
    areaGroupScores: 'usize',
    areaSlots: 'usize',
    areaSlotScores: 'usize',
    areaHistogram: 'usize',
    areaBest: 'usize',
    areaState: 'usize',
    /** Of a batch: queries of a block (each has scratch memory of its own), */
    blockQueries: 'i32',
    /** [queries, leavesToSearch] keys of chosen leaves, [queries, 3] int32 plans, and [queries] the order of the search. */
    batchKeys: 'usize',
    batchPlans: 'usize',
    order: 'usize',
    /** 1: candidates are scored exactly, 0: their approximate scores are returned. */
    reorderExactly: 'i32',
  },
} as const;

/** The state of a query between the phases of its search, at the area `areaState` of its thread. */
export const SCANN_STATE = {
  name: 'scannState',
  fields: {
    /** Centroids scored, and leaves chosen. */
    centroids: 'i32',
    leaves: 'i32',
    /** The best leaf's score; the scale of the tables; Σ of the least values of their blocks. */
    top: 'f32',
    scale: 'f32',
    least: 'f32',
    /** The entries of corrections are multiplied by two to the power of this. */
    correctionShift: 'i32',
    /** |q|; only where groups are skipped. */
    queryNorm: 'f32',
    /** The bound for skipping groups, and the scores above it that `areaBest` holds. */
    theta: 'i32',
    bestCount: 'i32',
    /** Groups scanned so far. */
    scanned: 'i32',
  },
} as const;

/** The kernels that search a ScaNN index. */
export interface ScannKernels {
  /** Search leaves. Items: queries. */
  searchScann(
    begin: number,
    end: number,
    slot: number,
    index: RecordAddress<typeof SCANN_INDEX>,
    call: RecordAddress<typeof SCANN_CALL>,
  ): void;
  /** Choose the leaves of the queries of a batch. Items: queries. */
  planBatch(
    begin: number,
    end: number,
    slot: number,
    index: RecordAddress<typeof SCANN_INDEX>,
    call: RecordAddress<typeof SCANN_CALL>,
  ): void;
  /** Search leaves, those of the queries of a block together. Items: positions of the order. */
  searchBatch(
    begin: number,
    end: number,
    slot: number,
    index: RecordAddress<typeof SCANN_INDEX>,
    call: RecordAddress<typeof SCANN_CALL>,
  ): void;
  /** Score a list of slots exactly. Items: queries. */
  searchSlots(
    begin: number,
    end: number,
    slot: number,
    index: RecordAddress<typeof SCANN_INDEX>,
    call: RecordAddress<typeof SCANN_CALL>,
  ): void;
  /** The first phase of a search: the leaves of a query, as keys, and its tables. Returns the number of leaves. */
  planQuery(
    slot: number,
    item: number,
    index: RecordAddress<typeof SCANN_INDEX>,
    call: RecordAddress<typeof SCANN_CALL>,
  ): number;
  /** The second phase: scan the leaves of keys [begin, end). The first run of a query in a memory begins at 0. */
  scanChosen(
    slot: number,
    item: number,
    index: RecordAddress<typeof SCANN_INDEX>,
    call: RecordAddress<typeof SCANN_CALL>,
    begin: number,
    end: number,
  ): void;
  /** The third phase: the candidates to reorder, of those with a score above `floor`. Returns their number. */
  chooseScanned(
    slot: number,
    item: number,
    index: RecordAddress<typeof SCANN_INDEX>,
    call: RecordAddress<typeof SCANN_CALL>,
    floor: number,
  ): number;
  /** The fourth phase: score the first `found` candidates again and write the results. */
  reorderChosen(
    slot: number,
    item: number,
    index: RecordAddress<typeof SCANN_INDEX>,
    call: RecordAddress<typeof SCANN_CALL>,
    found: number,
  ): void;
  /** Bit words of groups from bit words of rows. Items: groups. */
  maskGroups(begin: number, end: number, slot: number, rowWords: number, rowOf: number, words: number): void;
  /** Copy rows to slots as float32, bfloat16 or int8. Items: slots. */
  storeRows(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    d: number,
    rowOf: number,
    kind: number,
    inverseScales: number,
    stride: number,
    to: number,
  ): void;
}
