/**
 * Finds the distinct rows of a batch of encoded features, and the group of each row.
 *
 * Rows with equal features have equal vectors, so for a batch of thousands of rows only the few hundred distinct rows are
 * embedded, scored and differentiated. Groups are numbered in order of first appearance.
 */
import type { BagColumn, FeatureColumn } from '../features/contract.ts';
import { distinctRows } from '../vectors/distinct-rows.ts';

/** Groups of equal rows. */
export interface RowGroups {
  /** [rows] the group of each row. */
  groupOf: Int32Array;
  /** [groups] the first row of each group, ascending. */
  first: Int32Array;
}

/** One code for each row: two rows have the same code where their values are equal. Codes are below `size`. */
interface CodeColumn {
  codes: Int32Array;
  size: number;
}

/** An array over all codes is used where it has at most this many times the rows of the batch; otherwise a hash map. */
const TABLE_SHARE_MAX = 16;
/** Fibonacci hashing's multiplier, 2³² / golden ratio, and murmur3's second one, as in vectors/distinct-rows.ts. */
const SPREAD = 0x9e3779b1;
const MIX = 0x85ebca6b;

/** Group the rows of columns of `rows` rows by their values in all columns. */
export function distinctFeatures(columns: readonly FeatureColumn[], rows: number): RowGroups {
  const [first, ...more] = columns.map((column) => codesOf(column, rows));
  const small = first!.size <= TABLE_SHARE_MAX * rows;
  let groups = small ? groupByTable(first!) : refine({ groupOf: new Int32Array(rows), first: NO_ROWS }, first!);
  for (const column of more) {
    if (groups.first.length === rows) break; // All rows differ already.
    groups = refine(groups, column);
  }
  return groups;
}

const NO_ROWS = new Int32Array(0);

function codesOf(column: FeatureColumn, rows: number): CodeColumn {
  if (column.kind === 'ids') return { codes: column.ids, size: sizeOf(column.ids) };
  const groups = column.kind === 'bags' ? distinctBags(column, rows) : distinctRows(column.values, column.dimensions);
  return { codes: groups.groupOf, size: groups.first.length };
}

/** One more than the largest id. */
function sizeOf(ids: Int32Array): number {
  let largest = -1;
  for (let i = 0; i < ids.length; i++) if (ids[i]! > largest) largest = ids[i]!;
  return largest + 1;
}

/** Group with an array over the codes, in one pass without hashing. */
function groupByTable({ codes, size }: CodeColumn): RowGroups {
  const groupOfCode = new Int32Array(size).fill(-1);
  const groupOf = new Int32Array(codes.length);
  const first = new Int32Array(codes.length);
  let groups = 0;
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (groupOfCode[code] === -1) {
      groupOfCode[code] = groups;
      first[groups++] = row;
    }
    groupOf[row] = groupOfCode[code]!;
  }
  return { groupOf, first: first.slice(0, groups) };
}

/** Split groups by one more column. The key group · size + code is exact below 2⁵³. */
function refine({ groupOf: before }: RowGroups, { codes, size }: CodeColumn): RowGroups {
  const seen = new Map<number, number>();
  const groupOf = new Int32Array(before.length);
  const first = new Int32Array(before.length);
  for (let row = 0; row < groupOf.length; row++) {
    const key = before[row]! * size + codes[row]!;
    let group = seen.get(key);
    if (group === undefined) {
      group = seen.size;
      first[group] = row;
      seen.set(key, group);
    }
    groupOf[row] = group;
  }
  return { groupOf, first: first.slice(0, seen.size) };
}

/** Group lists of ids that have the same ids in the same order, with the same weights bit for bit. */
function distinctBags({ offsets, ids, weights }: BagColumn, rows: number): RowGroups {
  const bits = weights && new Int32Array(weights.buffer, weights.byteOffset, weights.length);
  const mask = 2 ** Math.ceil(Math.log2(2 * rows + 2)) - 1;
  const table = new Int32Array(mask + 1).fill(-1);
  const first = new Int32Array(rows);
  const groupOf = new Int32Array(rows);
  const equal = (a: number, b: number): boolean => {
    const [from, length] = [offsets[a]!, offsets[a + 1]! - offsets[a]!];
    const shift = offsets[b]! - from;
    if (offsets[b + 1]! - offsets[b]! !== length) return false;
    for (let i = from; i < from + length; i++) {
      if (ids[i] !== ids[i + shift] || (bits && bits[i] !== bits[i + shift])) return false;
    }
    return true;
  };
  let groups = 0;
  for (let row = 0; row < rows; row++) {
    let hash = offsets[row + 1]! - offsets[row]!;
    for (let i = offsets[row]!; i < offsets[row + 1]!; i++) {
      hash = Math.imul(hash ^ ids[i]! ^ (bits ? Math.imul(bits[i]!, MIX) : 0), SPREAD);
      hash ^= hash >>> 15;
    }
    let at = (Math.imul(hash, MIX) >>> 7) & mask;
    while (table[at]! >= 0 && !equal(first[table[at]!]!, row)) at = (at + 1) & mask;
    if (table[at]! < 0) {
      first[groups] = row;
      table[at] = groups++;
    }
    groupOf[row] = table[at]!;
  }
  return { groupOf, first: first.slice(0, groups) };
}
