/** Sums, lengths and gradients of rows of embeddings. Formulas and layouts: packages/core/assembly/rows.ts. */

/** The kernels of rows. */
export interface RowKernels {
  /** out[i] = Σ_j weights[j] · the d floats from float number places[j] on, offsets[i] ≤ j < offsets[i + 1]. Items: sums. */
  sumRows(
    begin: number,
    end: number,
    slot: number,
    offsets: number,
    places: number,
    weights: number,
    d: number,
    out: number,
    outStride: number,
  ): void;
  /** x ← x / |x|; lengths[i] = |x_i|. Items: rows. */
  normalizeRows(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    stride: number,
    d: number,
    lengths: number,
  ): void;
  /** dy ← (dy − y·⟨y, dy⟩) / |x|. Items: rows. */
  denormalizeRows(
    begin: number,
    end: number,
    slot: number,
    gradients: number,
    stride: number,
    y: number,
    yStride: number,
    d: number,
    lengths: number,
  ): void;
}
