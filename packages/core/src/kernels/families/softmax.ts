/** The in-batch softmax and its gradient with respect to the logits. Formulas and layouts: packages/core/assembly/softmax.ts. */
import type { RecordAddress } from '../record.ts';

/** The losses of a pair by their numbers in the kernels. */
export const LOSS_NUMBERS = { softmax: 0, bpr: 1, 'cosine-contrastive': 2 } as const;

/** A call of softmaxTile. */
export const SOFTMAX_TILE = {
  name: 'softmaxTile',
  fields: {
    /** The query of the tile's first row. */
    first: 'i32',
    /** [queries, d] float32. */
    queries: 'usize',
    d: 'i32',
    /** Candidates in panels of 8. */
    packed: 'usize',
    panels: 'i32',
    /** 1 / temperature. */
    scale: 'f32',
    /** [queries] float32. */
    rowWeights: 'usize',
    /** [8 · panels] float32, 0 past the last candidate. */
    columnWeights: 'usize',
    /** Pairs sorted by query: [queries + 1] int32 where each query's begin, [pairs] columns and weights. */
    pairStarts: 'usize',
    pairColumns: 'usize',
    pairWeights: 'usize',
    /** [rows of the tile, 8 · panels] float32: the logit gradients, written. */
    tile: 'usize',
    /** [rows of the tile, 3] float64, written. */
    results: 'usize',
  },
} as const;

/** A call of softmaxPairs. */
export const SOFTMAX_PAIRS = {
  name: 'softmaxPairs',
  fields: {
    /** The query of the tile's first row. */
    first: 'i32',
    /** Vectors of a query. */
    heads: 'i32',
    /** [queries · heads, d] float32. */
    queries: 'usize',
    d: 'i32',
    /** Column groups in panels of 8. */
    packed: 'usize',
    panels: 'i32',
    /** 1 / temperature. */
    scale: 'f32',
    /** [8 · panels] float32: columns of each group, 0 past the last. */
    counts: 'usize',
    /** [8 · panels] float32: what is added to each group's logits. */
    offsets: 'usize',
    /** [8 · panels] int32: identifiers of groups; 0: accidental hits are kept. */
    ids: 'usize',
    /** [pairs, maskWords] bits of the groups that count; 0: all do. */
    masks: 'usize',
    maskWords: 'i32',
    /** Negatives of a pair that count, the largest; 0: all. */
    negatives: 'i32',
    /** The loss by its number in LOSS_NUMBERS; margin and negativeWeight are those of the cosine contrastive loss. */
    loss: 'i32',
    margin: 'f32',
    negativeWeight: 'f32',
    /** Pairs sorted by query: [queries + 1] int32 where each query's begin, [pairs] groups and weights. */
    pairStarts: 'usize',
    pairColumns: 'usize',
    pairWeights: 'usize',
    /** 0: no gradients. */
    learn: 'i32',
    /** [queries of the tile · heads, 8 · panels] float32: the logit gradients, written. */
    tile: 'usize',
    /** [pairs, 4] float64, written. */
    results: 'usize',
    /** Three rows of 8 · panels floats per slot. */
    scratch: 'usize',
  },
} as const;

/** The kernels of the in-batch softmax. */
export interface SoftmaxKernels {
  /** Scores, softmax and logit gradients of a tile of distinct queries. Items: rows of the tile. */
  softmaxTile(begin: number, end: number, slot: number, call: RecordAddress<typeof SOFTMAX_TILE>): void;
  /** Loss parts of pairs with columns of their own, and logit gradients of a tile of queries. Items: queries of the tile. */
  softmaxPairs(begin: number, end: number, slot: number, call: RecordAddress<typeof SOFTMAX_PAIRS>): void;
}
