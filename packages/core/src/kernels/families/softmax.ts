/** The in-batch softmax and its gradient with respect to the logits. Formulas and layouts: packages/core/assembly/softmax.ts. */

/** The softmax kernels. */
export interface SoftmaxKernels {
  /** Scores, softmax and logit gradients of a tile of distinct queries. Items: rows of the tile. */
  softmaxTile(
    begin: number,
    end: number,
    slot: number,
    first: number,
    queries: number,
    d: number,
    packed: number,
    panels: number,
    scale: number,
    rowWeights: number,
    columnWeights: number,
    pairStarts: number,
    pairColumns: number,
    pairWeights: number,
    tile: number,
    results: number,
  ): void;
  /** Loss parts of pairs with columns of their own, and logit gradients of a tile of queries. Items: queries of the tile. */
  softmaxPairs(
    begin: number,
    end: number,
    slot: number,
    first: number,
    heads: number,
    queries: number,
    d: number,
    packed: number,
    panels: number,
    scale: number,
    counts: number,
    offsets: number,
    ids: number,
    masks: number,
    maskWords: number,
    negatives: number,
    pairStarts: number,
    pairColumns: number,
    pairWeights: number,
    learn: number,
    tile: number,
    results: number,
    scratch: number,
  ): void;
}
