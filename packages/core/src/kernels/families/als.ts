/** Alternating least squares. Formulas and layouts: packages/core/assembly/als.ts. */

/** Fields of the record of a call, each an offset or a count; assembly/als.ts reads them in this order. */
export const ALS_FIELDS = [
  /** [rows + 1] where each row's list begins. */
  'starts',
  /** [Σ lists] codes. */
  'codes',
  /** [Σ lists] weights; 0: all are 1. */
  'weights',
  /** [codes, d] of the other side. */
  'factors',
  /** d, a multiple of 8. */
  'dimensions',
  /** [d, d] what the pairs that were not observed add. */
  'gram',
  /** [rows] */
  'regularization',
  /** [rows, d] */
  'out',
  'scratch',
  /** Of one slot: `alsScratchBytes`. */
  'scratchStride',
] as const;

/** A call to the kernel. */
export type AlsRecord = Record<(typeof ALS_FIELDS)[number], number>;

/** Vectors that are gathered at a time; the same in assembly/als.ts. */
const CHUNK = 64;

/** Scratch of one slot: the system, the gathered vectors and the same weighted, the inverse diagonal. */
export function alsScratchBytes(dimensions: number): number {
  return 4 * ((dimensions + 2 * CHUNK) * (dimensions + 8) + dimensions);
}

/** The als kernel. */
export interface AlsKernels {
  /** out[row] = A⁻¹ b of each row's list. Items: rows. */
  solveRows(begin: number, end: number, slot: number, record: number): void;
}
