/**
 * The layers of SASRec over the rows of sequences: L blocks of causal self-attention and a feed-forward network, and a layer
 * normalization at the end.
 *
 *   x ← x + dropout(attention(layerNorm(x)));   x ← x + dropout(relu(layerNorm(x)·W₁ + b₁)·W₂ + b₂)
 *
 * Source: Kang and McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, equations 2 to 5; the normalization at the
 * end is that of its authors' code. Their code also drops attention weights and the hidden units of the feed-forward network;
 * here, as in the equations, dropout stands at the start and at the end of each part.
 *
 * Only the states of last items are used, so the last block computes no others: its attention has a query for the last item of
 * each sequence, and its outputs are one row for each sequence. The row of an empty sequence has no meaning.
 */
import { CausalAttention, type Sequences } from './causal-attention.ts';
import type { LayerFactory } from './contract.ts';
import { LastRows } from './last-rows.ts';
import type { LayerSpec } from './make-layers.ts';

/** The shape of attention blocks. */
export interface AttentionShape {
  /** The number of blocks. */
  readonly blocks: number;
  /** Heads of each attention, a divisor of the width of the rows. */
  readonly heads: number;
  /** The share of numbers that are 0 while training, from 0 to below 1. */
  readonly dropout: number;
}

/** The layers of blocks from rows of `width` columns, which `sequences` divides at each `forward`, to the states of last items. */
export function attentionBlocks(
  width: number,
  { blocks, heads, dropout }: AttentionShape,
  sequences: Sequences,
): (LayerSpec | LayerFactory)[] {
  const drop: readonly LayerSpec[] = dropout === 0 ? [] : [{ kind: 'dropout', rate: dropout }];
  const residual = (
    layers: readonly (LayerSpec | LayerFactory)[],
    shortcut: readonly LayerFactory[] = [],
  ): LayerSpec => ({ kind: 'add', branches: [shortcut, [{ kind: 'layerNorm' }, ...layers, ...drop]] });
  const attention = (lastOnly: boolean): LayerSpec => {
    const attend: LayerFactory = (inputs, { runtime }) =>
      new CausalAttention(inputs, heads, sequences, runtime, lastOnly);
    const lastRows: LayerFactory = (inputs, { runtime }) => new LastRows(inputs, sequences, runtime);
    return residual([{ kind: 'dense', units: 3 * width }, attend], lastOnly ? [lastRows] : []);
  };
  const network = residual([
    { kind: 'dense', units: width, activation: 'relu' },
    { kind: 'dense', units: width },
  ]);
  const parts = Array.from({ length: blocks }, (_, i) => [attention(i + 1 === blocks), network]);
  return [...drop, ...parts.flat(), { kind: 'layerNorm' }];
}
