/** Checksums of saved bytes. Formulas and layouts: packages/core/assembly/checksum.ts. */

/** The checksum kernels. */
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
