/** Assignment of rows to centroids. Formulas and layouts: packages/core/assembly/assign.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of assignNearest16. */
export const ASSIGN_NEAREST_16 = {
  name: 'assignNearest16',
  fields: {
    /** [n, d] float32. */
    rows: 'usize',
    n: 'i32',
    d: 'i32',
    /** Centroids in panels of 8, float32. */
    packed: 'usize',
    /** |c|²/2 of each centroid, +∞ past the last. */
    halfSquares: 'usize',
    /** Centroids in panels of 8, int16. */
    packed16: 'usize',
    panels: 'i32',
    unscale: 'f32',
    /** [3] float32: max |c16|₁, max |c|, max |c|²/2. */
    limits: 'usize',
    /** [n] int32, written. */
    labels: 'usize',
    /** [n] float32, written. */
    scores: 'usize',
    scratch: 'usize',
    /** Bytes of a slot's scratch. */
    scratchStride: 'usize',
  },
} as const;

/** A call of assignSecond. */
export const ASSIGN_SECOND = {
  name: 'assignSecond',
  fields: {
    /** [n, d] float32. */
    rows: 'usize',
    d: 'i32',
    /** Centroids in panels of 8, float32. */
    packed: 'usize',
    /** |c|²/2 of each centroid, +∞ past the last. */
    halfSquares: 'usize',
    panels: 'i32',
    /** [centroids, d] float32. */
    centroids: 'usize',
    /** [n] int32: the first centroid of each row. */
    labels: 'usize',
    lambda: 'f32',
    /** [n] int32, written. */
    second: 'usize',
    /** d floats per slot. */
    scratch: 'usize',
  },
} as const;

/** Bytes of scratch that a slot of assignNearest16 needs. */
export function nearest16ScratchBytes(panels: number, d: number): number {
  return 64 * Math.ceil(panels + 1 + Math.ceil(d / 2) / 2);
}

/** The kernels that assign rows to centroids. */
export interface AssignKernels {
  /** Nearest of packed centroids. Items: blocks of 4 rows. */
  assignNearest(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    n: number,
    d: number,
    packed: number,
    halfSquares: number,
    panels: number,
    labels: number,
    scores: number,
  ): void;
  /** assignNearest by way of int16 scores: the same bits. Items: blocks of 4 rows. */
  assignNearest16(begin: number, end: number, slot: number, call: RecordAddress<typeof ASSIGN_NEAREST_16>): void;
  /** SOAR's second centroid of each row. Items: rows. */
  assignSecond(begin: number, end: number, slot: number, call: RecordAddress<typeof ASSIGN_SECOND>): void;
}
