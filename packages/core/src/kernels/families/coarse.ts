/**
 * Coarse 7-bit codes, which rule out most candidates without an exact score. Formulas and layouts:
 * packages/core/assembly/coarse.ts.
 */
import type { RecordAddress } from '../record.ts';

/** A call of searchCoarse. */
export const SEARCH_COARSE = {
  name: 'searchCoarse',
  fields: {
    /** [d] float32. */
    query: 'usize',
    /** The query's codes as int8, zeros up to a multiple of 4. */
    queryBytes: 'usize',
    /** The same codes as int16. */
    queryShorts: 'usize',
    /** 64 times the sum of the query's codes. */
    offset: 'i32',
    queryScale: 'f32',
    /** The most by which a row's score may exceed the score of its codes, in units of its scale. */
    slack: 'f32',
    d: 'i32',
    /** u32 offsets of the chunks of packed candidates, of their codes, of their scales. */
    chunks: 'usize',
    codeChunks: 'usize',
    scaleChunks: 'usize',
    /** Candidates. */
    n: 'i32',
    /** Bits of the rows that may be returned; 0: all. */
    mask: 'usize',
    /** 8 floats per slot, `scratchStride` bytes apart. */
    scratch: 'usize',
    scratchStride: 'i32',
    /** A buffer of best rows per slot, `slotStride` bytes apart (topk.ts). */
    buffers: 'usize',
    slotStride: 'i32',
  },
} as const;

/** The kernels of coarse codes. */
export interface CoarseKernels {
  /** Codes, scales and error figures of a chunk of packed candidates. Items: panels. */
  packCoarse(
    begin: number,
    end: number,
    slot: number,
    packed: number,
    d: number,
    codes: number,
    scales: number,
    stats: number,
  ): void;
  /** searchPanels of one query, scoring only panels that the codes do not rule out. Items: chunks. */
  searchCoarse(begin: number, end: number, slot: number, call: RecordAddress<typeof SEARCH_COARSE>): void;
}
