/** Products of row-major float32 matrices. Formulas and layouts: packages/core/assembly/multiply.ts, multiply-fused.ts. */
import type { RecordAddress } from '../record.ts';

/** The fields of all products. */
const PRODUCT = {
  /** [m, n] float32, row r at a + 4 · aStride · r. */
  a: 'usize',
  aStride: 'i32',
  m: 'i32',
  n: 'i32',
  /** float32: [n, d] for A · B, [m, d] for Aᵀ · B; d is a multiple of 4. */
  b: 'usize',
  d: 'i32',
  /** float32: [m, d] for A · B, [n, d] for Aᵀ · B. */
  c: 'usize',
  /** `productScratchBytes(d)` bytes per slot. */
  scratch: 'usize',
  scratchStride: 'i32',
} as const;

/** The record of a product. */
export interface ProductRecord<Name extends string> {
  readonly name: Name;
  readonly fields: typeof PRODUCT;
}

/** A call of each product. */
export const MULTIPLY_ROWS: ProductRecord<'multiplyRows'> = { name: 'multiplyRows', fields: PRODUCT };
export const MULTIPLY_TRANSPOSED: ProductRecord<'multiplyTransposed'> = { name: 'multiplyTransposed', fields: PRODUCT };
export const MULTIPLY_ROWS_FUSED: ProductRecord<'multiplyRowsFused'> = { name: 'multiplyRowsFused', fields: PRODUCT };
export const MULTIPLY_TRANSPOSED_FUSED: ProductRecord<'multiplyTransposedFused'> = {
  name: 'multiplyTransposedFused',
  fields: PRODUCT,
};

/** Rows of a block and terms of a pass, as in the assembly. */
const BLOCK_ROWS = 256;
const DEPTH = 256;

/** Bytes of scratch of a slot: two panels, the tiles of a block and its sums. */
export function productScratchBytes(d: number): number {
  return 4 * (16 * DEPTH + BLOCK_ROWS * DEPTH + BLOCK_ROWS * 8 * Math.ceil(d / 8));
}

/** The products with the same bits everywhere. */
export interface MultiplyKernels {
  /** C = A · B. Items: rows of A. */
  multiplyRows(begin: number, end: number, slot: number, call: RecordAddress<typeof MULTIPLY_ROWS>): void;
  /** C += Aᵀ · B. Items: groups of 4 columns of A. */
  multiplyTransposed(begin: number, end: number, slot: number, call: RecordAddress<typeof MULTIPLY_TRANSPOSED>): void;
}

/** The products that may add a term without rounding it first. */
export interface FusedMultiplyKernels {
  /** C = A · B. Items: rows of A. */
  multiplyRowsFused(begin: number, end: number, slot: number, call: RecordAddress<typeof MULTIPLY_ROWS_FUSED>): void;
  /** C += Aᵀ · B. Items: groups of 4 columns of A. */
  multiplyTransposedFused(
    begin: number,
    end: number,
    slot: number,
    call: RecordAddress<typeof MULTIPLY_TRANSPOSED_FUSED>,
  ): void;
}
