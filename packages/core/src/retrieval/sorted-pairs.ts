/** The rows of a batch as pairs (query, column) sorted by query, in the linear memory where kernels read them. */

/** Byte offsets: starts [queries + 1] and columns [pairs] int32, weights [pairs] float32. */
export interface SortedPairs {
  starts: number;
  columns: number;
  weights: number;
  /** [pairs] the row of the batch that each pair is. */
  rowOf: Int32Array;
}

/** Bytes that sorted pairs take. */
export function sortedPairsBytes(queries: number, pairs: number): number {
  return 4 * (queries + 1 + 2 * pairs);
}

/** Sort the rows by query, keeping their order within one; weight i is factor · sampleWeight[i]. */
export function writeSortedPairs(
  buffer: ArrayBufferLike,
  offset: number,
  queries: number,
  { queryOf, columnOf, sampleWeight, factor }: PairColumns,
): SortedPairs {
  const pairs = queryOf.length;
  const starts = new Int32Array(buffer, offset, queries + 1).fill(0);
  const columns = new Int32Array(buffer, offset + 4 * (queries + 1), pairs);
  const weights = new Float32Array(buffer, offset + 4 * (queries + 1 + pairs), pairs);
  for (let i = 0; i < pairs; i++) starts[queryOf[i]! + 1] = starts[queryOf[i]! + 1]! + 1;
  for (let u = 0; u < queries; u++) starts[u + 1] = starts[u + 1]! + starts[u]!;
  const next = starts.slice(0, queries);
  const rowOf = new Int32Array(pairs);
  for (let i = 0; i < pairs; i++) {
    const at = next[queryOf[i]!]!;
    next[queryOf[i]!] = at + 1;
    columns[at] = columnOf[i]!;
    weights[at] = factor * (sampleWeight ? sampleWeight[i]! : 1);
    rowOf[at] = i;
  }
  return { starts: starts.byteOffset, columns: columns.byteOffset, weights: weights.byteOffset, rowOf };
}

/** Columns of a batch's rows. */
export interface PairColumns {
  /** [pairs] */
  queryOf: Int32Array;
  /** [at least pairs] the column of each row's positive. */
  columnOf: Int32Array;
  /** [pairs] */
  sampleWeight: ArrayLike<number> | undefined;
  factor: number;
}
