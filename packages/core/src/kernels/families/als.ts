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
    /** Lists of so many items and fewer are solved in the basis of the gram's eigenvectors; 0: none. */
    shortLength: 'i32',
    /** [d] the eigenvalues of the gram; 0 where there are no short lists. */
    spectrum: 'usize',
    /** [d, d] the eigenvectors, one per row. */
    basis: 'usize',
    /** [codes, d] the factors in that basis. */
    rotated: 'usize',
    /** [rows, d] */
    out: 'usize',
    scratch: 'usize',
    /** Of one slot: `alsScratchBytes`. */
    scratchStride: 'usize',
  },
} as const;

/** Vectors that are gathered at a time; the same in assembly/als.ts. */
const CHUNK = 64;

/**
 * Bytes of scratch of one slot: the system, the gathered vectors, a weighted or transposed copy of them, and three
 * vectors.
 */
export function alsScratchBytes(dimensions: number): number {
  return 4 * ((dimensions + Math.max(2 * CHUNK, dimensions)) * (dimensions + 8) + 3 * dimensions);
}

/** The kernel of alternating least squares. */
export interface AlsKernels {
  /** out[row] = A⁻¹ b of each row's list. Items: rows. */
  solveRows(begin: number, end: number, slot: number, call: RecordAddress<typeof SOLVE_ROWS>): void;
}
