/** Causal self-attention of sequences of rows. Formulas: packages/core/assembly/attention.ts. */
import type { RecordAddress } from '../record.ts';

/** The fields of both passes. */
const ATTENTION = {
  /** [rows, stride] float32: queries, keys and values of heads · width columns each. */
  x: 'usize',
  stride: 'i32',
  /** [sequences + 1] int32: the rows of sequence s are offsets[s] … offsets[s + 1] − 1. */
  offsets: 'usize',
  heads: 'i32',
  width: 'i32',
  scale: 'f32',
  /** 1: y and dy have a row for each sequence, that of its last item; 0: a row for each item. */
  lastOnly: 'i32',
  /** For each thread two rows of floats, each of the longest sequence rounded up to a multiple of 4. */
  scratch: 'usize',
  /** Bytes of scratch of a thread. */
  scratchStride: 'usize',
} as const;

/** The record of a pass with fields of its own. */
export interface AttentionRecord<Name extends string, Own> {
  readonly name: Name;
  readonly fields: typeof ATTENTION & Own;
}

/** A call of causalAttention; y is [rows, yStride] float32, written; with lastOnly [sequences, yStride]. */
export const CAUSAL_ATTENTION: AttentionRecord<'causalAttention', { readonly y: 'usize'; readonly yStride: 'i32' }> = {
  name: 'causalAttention',
  fields: { ...ATTENTION, y: 'usize', yStride: 'i32' },
};

/** A call of causalAttentionGradient; dy is [rows, dyStride] float32, with lastOnly [sequences, dyStride], and dx [rows, stride] float32, written. */
export const CAUSAL_ATTENTION_GRADIENT: AttentionRecord<
  'causalAttentionGradient',
  { readonly dy: 'usize'; readonly dyStride: 'i32'; readonly dx: 'usize' }
> = {
  name: 'causalAttentionGradient',
  fields: { ...ATTENTION, dy: 'usize', dyStride: 'i32', dx: 'usize' },
};

/** The kernels of attention. */
export interface AttentionKernels {
  /** y of the rows of sequences. Items: sequences. */
  causalAttention(begin: number, end: number, slot: number, call: RecordAddress<typeof CAUSAL_ATTENTION>): void;
  /** dx of the rows of sequences. Items: sequences. */
  causalAttentionGradient(
    begin: number,
    end: number,
    slot: number,
    call: RecordAddress<typeof CAUSAL_ATTENTION_GRADIENT>,
  ): void;
}
