/** A query against leaves of 4-bit codes; `index` and `call` are records (kernels/records.ts). Formulas and layouts: packages/core/assembly/scann.ts. */

/** The scann kernels. */
export interface ScannKernels {
  /** Search leaves. Items: queries. */
  searchScann(begin: number, end: number, slot: number, index: number, call: number): void;
  /** Score a list of slots exactly. Items: queries. */
  searchSlots(begin: number, end: number, slot: number, index: number, call: number): void;
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
