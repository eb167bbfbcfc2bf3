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
  /** Softmax and logit gradients of rows of given logits. Items: rows. */
  softmaxLogits(
    begin: number,
    end: number,
    slot: number,
    logits: number,
    columns: number,
    rowWeights: number,
    columnWeights: number,
    pairStarts: number,
    pairColumns: number,
    pairWeights: number,
    results: number,
  ): void;
}
