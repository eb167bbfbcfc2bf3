/** Leaves and codes of a ScaNN index. Formulas and layouts: packages/core/assembly/scann-build.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of encodeCopies. */
export const ENCODE_COPIES = {
  name: 'encodeCopies',
  fields: {
    /** [n, d] float32. */
    rows: 'usize',
    d: 'i32',
    /** [copies] int32: the row of each copy; 0: its own number. */
    copyRow: 'usize',
    /** [copies] int32: the centroid of each copy. */
    labels: 'usize',
    /** [centroids, d] float32. */
    centroids: 'usize',
    /** [blocks][width][16] float32. */
    codebook: 'usize',
    blocks: 'i32',
    /** Dimensions of a block. */
    width: 'i32',
    /** η: weight of the error parallel to the row. */
    eta: 'f32',
    /** Kind of correction: 0 none, 1 for inner products, 2 for squared distances. */
    kind: 'i32',
    /** [copies, blocks] bytes, written. */
    codes: 'usize',
    /** [copies] float32, written where kind is not 0. */
    corrections: 'usize',
    /** blocks · (width + 32) floats per slot. */
    scratch: 'usize',
  },
} as const;

/** A call of orderLeaves. */
export const ORDER_LEAVES = {
  name: 'orderLeaves',
  fields: {
    /** [n, d] float32. */
    rows: 'usize',
    d: 'i32',
    /** [copies] int32: the row of each copy; 0: its own number. */
    copyRow: 'usize',
    /** [leaves, d] float32. */
    centroids: 'usize',
    /** [leaves + 1] int32: where each leaf's copies begin in `order`. */
    leafBegin: 'usize',
    /** [copies] int32, sorted within each leaf. */
    order: 'usize',
    /** [leaves] int32: the first quad of each leaf in `bounds`. */
    leafQuads: 'usize',
    /** [quads][2][4] float32, written. */
    bounds: 'usize',
    /** [copies] u64, for sorting. */
    keys: 'usize',
  },
} as const;

/** A call of packGroups. */
export const PACK_GROUPS = {
  name: 'packGroups',
  fields: {
    /** [groups] int32: the leaf of each group. */
    groupLeaf: 'usize',
    /** [leaves + 1] int32: the first group of each leaf. */
    leafGroups: 'usize',
    /** [leaves + 1] int32: where each leaf's copies begin in `order`. */
    leafBegin: 'usize',
    order: 'usize',
    /** [copies] int32: the row of each copy; 0: its own number. */
    copyRow: 'usize',
    /** [copies, blocks] bytes. */
    codes: 'usize',
    blocks: 'i32',
    /** [copies, corrections] bytes. */
    correctionCodes: 'usize',
    /** Correction blocks. */
    corrections: 'i32',
    /** [groups, blocks + corrections, 16] bytes, written. */
    packed: 'usize',
    /** [groups, 32] int32, written: the row of each slot, −1 where there is none. */
    rowOfSlot: 'usize',
    /** [groups] bit words, written: the slots that hold a point. */
    valid: 'usize',
  },
} as const;

/** The kernels that build the leaves. */
export interface ScannBuildKernels {
  /** Lloyd's iterations for the codebooks of blocks. Items: blocks. */
  trainBlocks(
    begin: number,
    end: number,
    slot: number,
    sample: number,
    n: number,
    blocks: number,
    width: number,
    iterations: number,
    codebook: number,
    scratch: number,
  ): void;
  /** Codes and corrections of copies. Items: copies. */
  encodeCopies(begin: number, end: number, slot: number, call: RecordAddress<typeof ENCODE_COPIES>): void;
  /** Order the copies of leaves and bound their groups. Items: leaves. */
  orderLeaves(begin: number, end: number, slot: number, call: RecordAddress<typeof ORDER_LEAVES>): void;
  /** Pack groups of 32 codes. Items: groups. */
  packGroups(begin: number, end: number, slot: number, call: RecordAddress<typeof PACK_GROUPS>): void;
  /** Or one point's codes into its group. */
  packPoint(
    group: number,
    i: number,
    codes: number,
    blocks: number,
    correctionCodes: number,
    corrections: number,
  ): void;
}
