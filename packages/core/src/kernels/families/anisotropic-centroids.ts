/** Anisotropic centroids. Formulas and layouts: packages/core/assembly/anisotropic-centroids.ts. */

/** The anisotropic-centroids kernels. */
export interface AnisotropicCentroidsKernels {
  /** Centroids of leaves by conjugate gradients. Items: leaves. */
  anisotropicCentroids(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    d: number,
    leafBegin: number,
    order: number,
    membersMax: number,
    coefficients: number,
    centroids: number,
    sums: number,
    scratch: number,
  ): void;
}
