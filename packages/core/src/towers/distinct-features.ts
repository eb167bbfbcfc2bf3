/**
 * Finds the distinct rows of a batch of encoded features, and the group of each row.
 *
 * Rows with equal ids have equal embeddings, so for a batch of thousands of rows only the few hundred distinct rows are
 * embedded, scored and differentiated. Groups are numbered in order of first appearance.
 */

/** Groups of equal rows. */
export interface DistinctFeatures {
  /** [count, width] the ids of each group. */
  ids: Int32Array;
  count: number;
  /** [rows] the group of each row. */
  groupOf: Int32Array;
}

/** An array over all ids is used where it has at most this many times the rows of the batch; otherwise a hash map. */
const TABLE_SHARE_MAX = 16;

/** Group the rows of `encoded` [rows, width]. `sizes[c]`: ids of column c are below it. */
export function distinctFeatures(encoded: Int32Array, sizes: readonly number[]): DistinctFeatures {
  const width = sizes.length;
  const rows = encoded.length / width;
  const whole: Groups = { groupOf: new Int32Array(rows), firsts: [0] };
  const small = sizes[0]! <= TABLE_SHARE_MAX * rows;
  let groups = small ? groupColumn(encoded, width, sizes[0]!) : refine(whole, encoded, 0, sizes);
  for (let column = 1; column < width; column++) groups = refine(groups, encoded, column, sizes);
  const { groupOf, firsts } = groups;
  const ids = new Int32Array(firsts.length * width);
  firsts.forEach((row, group) => {
    ids.set(encoded.subarray(row * width, (row + 1) * width), group * width);
  });
  return { ids, count: firsts.length, groupOf };
}

interface Groups {
  groupOf: Int32Array;
  /** The first row of each group. */
  firsts: number[];
}

/** Group by the first column with an array over its ids, in one pass without hashing. */
function groupColumn(encoded: Int32Array, width: number, size: number): Groups {
  const groupOfId = new Int32Array(size).fill(-1);
  const groupOf = new Int32Array(encoded.length / width);
  const firsts: number[] = [];
  for (let row = 0; row < groupOf.length; row++) {
    const id = encoded[row * width]!;
    if (groupOfId[id] === -1) {
      groupOfId[id] = firsts.length;
      firsts.push(row);
    }
    groupOf[row] = groupOfId[id]!;
  }
  return { groupOf, firsts };
}

/** Split groups by one more column. The key group · size + id is exact below 2⁵³. */
function refine(groups: Groups, encoded: Int32Array, column: number, sizes: readonly number[]): Groups {
  const width = sizes.length;
  const seen = new Map<number, number>();
  const groupOf = new Int32Array(groups.groupOf.length);
  const firsts: number[] = [];
  for (let row = 0; row < groupOf.length; row++) {
    const key = groups.groupOf[row]! * sizes[column]! + encoded[row * width + column]!;
    let group = seen.get(key);
    if (group === undefined) {
      group = firsts.length;
      seen.set(key, group);
      firsts.push(row);
    }
    groupOf[row] = group;
  }
  return { groupOf, firsts };
}
