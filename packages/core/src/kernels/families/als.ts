/** Alternating least squares. Formulas and layouts: packages/core/assembly/als.ts. */
import type { RecordAddress } from '../record.ts';

/** A call of solveRows. */
export const SOLVE_ROWS = {
  name: 'solveRows',
  fields: {
    /** [rows + 1] where each row's list begins. */
    starts: 'usize',
    /** [Σ lists] codes. */
    codes: 'usize',
    /** [Σ lists] weights; 0: all are 1. */
    weights: 'usize',
    /** [codes, d] of the other side. */
    factors: 'usize',
    /** d, a multiple of 8. */
    dimensions: 'i32',
    /** [d, d] the sum over the pairs that were not observed. */
    gram: 'usize',
    /** [rows] */
    regularization: 'usize',
    /** [rows, d] */
    out: 'usize',
    scratch: 'usize',
    /** Of one slot: `alsScratchBytes`. */
    scratchStride: 'usize',
  },
} as const;

/** Vectors that are gathered at a time; the same in assembly/als.ts. */
const CHUNK = 64;

/** Scratch of one slot: the system, the gathered vectors and the same weighted, the inverse diagonal. */
export function alsScratchBytes(dimensions: number): number {
  return 4 * ((dimensions + 2 * CHUNK) * (dimensions + 8) + dimensions);
}

/** The kernel of alternating least squares. */
export interface AlsKernels {
  /** out[row] = A⁻¹ b of each row's list. Items: rows. */
  solveRows(begin: number, end: number, slot: number, call: RecordAddress<typeof SOLVE_ROWS>): void;
}
