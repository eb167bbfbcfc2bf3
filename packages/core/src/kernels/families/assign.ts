/** Rows to centroids. Formulas and layouts: packages/core/assembly/assign.ts. */

/** The assign kernels. */
export interface AssignKernels {
  /** Nearest of packed centroids. Items: blocks of 4 rows. */
  assignNearest(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    n: number,
    d: number,
    packed: number,
    halfSquares: number,
    panels: number,
    labels: number,
    scores: number,
  ): void;
  /** assignNearest by way of int16 scores: the same bits. Items: blocks of 4 rows. */
  assignNearest16(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    n: number,
    d: number,
    packed: number,
    halfSquares: number,
    packed16: number,
    panels: number,
    unscale: number,
    limits: number,
    labels: number,
    scores: number,
    scratch: number,
    scratchStride: number,
  ): void;
  /** SOAR's second centroid of each row. Items: rows. */
  assignSecond(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    d: number,
    packed: number,
    halfSquares: number,
    panels: number,
    centroids: number,
    labels: number,
    lambda: number,
    second: number,
    scratch: number,
  ): void;
}
