/** Work counters of a search: the kernels count for each query, and the counts are summed over a call. */

/** Numbers that the kernels count for each query. */
export const COUNTERS = 4;

/** Work of the queries, summed over a call. */
export interface SearchWork {
  queries: number;
  /** Centroids scored, leaves searched, codes scored, candidates scored exactly. */
  centroids: number;
  leaves: number;
  codes: number;
  reorders: number;
}

/** Add the counters [queries, COUNTERS] of a group of queries. */
export function addWork(work: SearchWork, counters: Int32Array): void {
  for (let i = 0; i < counters.length; i += COUNTERS) {
    work.queries++;
    work.centroids += counters[i]!;
    work.leaves += counters[i + 1]!;
    work.codes += counters[i + 2]!;
    work.reorders += counters[i + 3]!;
  }
}
