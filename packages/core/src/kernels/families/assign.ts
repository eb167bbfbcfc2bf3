/** Assignment of rows to centroids. Formulas and layouts: packages/core/assembly/assign.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of assignNearest. */
export const ASSIGN_NEAREST = {
  name: 'assignNearest',
  fields: {
    /** [n, d] float32. */
    rows: 'usize',
    n: 'i32',
    d: 'i32',
    /** Centroids in panels of 8, float32. */
    packed: 'usize',
    /** |c|²/2 of each centroid, +∞ past the last. */
    halfSquares: 'usize',
    /** Centroids in panels of 8, int16; 0 where all scores are computed in float32. */
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

/** Bytes of scratch that a slot of assignNearest needs. */
export function nearestScratchBytes(panels: number, d: number): number {
  return 64 * Math.ceil(panels + 1 + Math.ceil(d / 2) / 2);
}

/** The kernels that assign rows to centroids. */
export interface AssignKernels {
  /** Nearest of packed centroids. Items: blocks of 4 rows. */
  assignNearest(begin: number, end: number, slot: number, call: RecordAddress<typeof ASSIGN_NEAREST>): void;
  /** SOAR's second centroid of each row. Items: rows. */
  assignSecond(begin: number, end: number, slot: number, call: RecordAddress<typeof ASSIGN_SECOND>): void;
}
