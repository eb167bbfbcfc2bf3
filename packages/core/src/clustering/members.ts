/** The members of each cluster, from labels. */

/** Members of cluster c: order[begin[c] … begin[c+1]), ascending. */
export interface Members {
  begin: Int32Array;
  order: Int32Array;
}

/** List the members of each cluster. */
export function listMembers(labels: Int32Array, clusters: number): Members {
  const begin = new Int32Array(clusters + 1);
  for (let i = 0; i < labels.length; i++) begin[labels[i]! + 1]!++;
  for (let c = 0; c < clusters; c++) begin[c + 1]! += begin[c]!;
  const next = begin.slice();
  const order = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) order[next[labels[i]!]!++] = i;
  return { begin, order };
}
