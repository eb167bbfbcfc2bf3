/** Centroids as means of their members. Formulas and layouts: packages/core/assembly/clusters.ts. */

/** The clusters kernels. */
export interface ClustersKernels {
  /** Means of the members of clusters. Items: clusters. */
  meanOfMembers(
    begin: number,
    end: number,
    slot: number,
    rows: number,
    d: number,
    clusterBegin: number,
    order: number,
    centroids: number,
    scratch: number,
  ): void;
}
