/** Embeddings composed of codebook rows. Formulas and layouts: packages/core/assembly/pointers.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of gatherClustered. */
export const GATHER_CLUSTERED = {
  name: 'gatherClustered',
  fields: {
    /** [rows, w] float32: the codebook. */
    table: 'usize',
    w: 'i32',
    /** [n] int32. */
    ids: 'usize',
    /** [vocabulary, columns] uint16: the learned pointer of each id, within its column's rows. */
    learned: 'usize',
    /** [2 · columns, 4] u32: the hashes (hashPointers), of which the odd ones are the helpers. */
    coefficients: 'usize',
    columns: 'i32',
    /** Rows of a column, the helper's among them. */
    blockRows: 'i32',
    /** [n, outStride] float32, written. */
    out: 'usize',
    outStride: 'i32',
  },
} as const;

/** A call of groupUses. */
export const GROUP_USES = {
  name: 'groupUses',
  fields: {
    /** [ids][part][sums] int32: codebook rows. */
    pointers: 'usize',
    /** The number of ids. */
    ids: 'i32',
    /** Parts of the codebook that no pointer of another part reaches. */
    parts: 'i32',
    /** Pointers of an id into one part. */
    sums: 'i32',
    /** Rows of a part. */
    partRows: 'i32',
    /** [parts · partRows] int32, zero before and after. */
    counters: 'usize',
    /** [ids · parts · sums] int32, written: positions in `pointers` in the order of their rows. */
    uses: 'usize',
    /** [ids · parts · sums] int32, written: the rows that are used, and where in `uses` each begins. */
    distinct: 'usize',
    starts: 'usize',
    /** [parts] int32, written: distinct rows of each part. */
    groups: 'usize',
  },
} as const;

/** The kernels of composed embeddings. */
export interface PointerKernels {
  /** pointer = base + ((a·id + b) mod p) mod rows, for every step-th term. Items: ids. */
  hashPointers(
    begin: number,
    end: number,
    slot: number,
    ids: number,
    coefficients: number,
    terms: number,
    step: number,
    out: number,
  ): void;
  /** out[i][j·w + t] = Σ_s table[pointers[i][j][s]][t]. Items: ids. */
  gatherPointers(
    begin: number,
    end: number,
    slot: number,
    table: number,
    w: number,
    pointers: number,
    columns: number,
    sums: number,
    out: number,
    outStride: number,
  ): void;
  /** Vectors of a clustered table that has its helper table: hashPointers, readPointers and gatherPointers in one. Items: ids. */
  gatherClustered(begin: number, end: number, slot: number, call: RecordAddress<typeof GATHER_CLUSTERED>): void;
  /** out[g] = Σ of the gradient slices that the uses of codebook row g fed. Items: groups. */
  sumUses(
    begin: number,
    end: number,
    slot: number,
    starts: number,
    uses: number,
    gradients: number,
    stride: number,
    w: number,
    terms: number,
    sums: number,
    out: number,
  ): void;
  /** Counting sort of pointers by row, each part of the table apart. Items: parts. */
  groupUses(begin: number, end: number, slot: number, call: RecordAddress<typeof GROUP_USES>): void;
  /** out[i][j][0] = j · blockRows + learned[id][j]. Items: ids. */
  readPointers(
    begin: number,
    end: number,
    slot: number,
    ids: number,
    learned: number,
    columns: number,
    sums: number,
    blockRows: number,
    out: number,
  ): void;
  /** As readPointers for ids whose bit is set; rank of id = ranks[id / 32] + set bits below it. Items: ids. */
  readLearnedPointers(
    begin: number,
    end: number,
    slot: number,
    ids: number,
    bits: number,
    ranks: number,
    learned: number,
    columns: number,
    sums: number,
    blockRows: number,
    out: number,
  ): void;
}
