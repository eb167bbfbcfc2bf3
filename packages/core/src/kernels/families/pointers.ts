/** Embeddings composed of codebook rows. Formulas and layouts: packages/core/assembly/pointers.ts. */

/** The pointers kernels. */
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
  /** Vectors of a clustered table with its helper: hashPointers, readPointers and gatherPointers in one. Items: ids. */
  gatherClustered(
    begin: number,
    end: number,
    slot: number,
    table: number,
    w: number,
    ids: number,
    learned: number,
    coefficients: number,
    columns: number,
    blockRows: number,
    out: number,
    outStride: number,
  ): void;
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
  groupUses(
    begin: number,
    end: number,
    slot: number,
    pointers: number,
    ids: number,
    parts: number,
    sums: number,
    partRows: number,
    counters: number,
    uses: number,
    distinct: number,
    starts: number,
    groups: number,
  ): void;
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
