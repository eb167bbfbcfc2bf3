/** Measures the quality of interactions: duplicates, users and items with one row, the range of times, broken rows. */
import type { BrokenRow } from '../bytes/read-log.ts';
import type { InteractionTable } from './interaction-table.ts';

/** Measurements of interactions. */
export interface InteractionQuality {
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  /** Rows with the same user and item as an earlier row. */
  readonly duplicates: number;
  readonly usersWithOneRow: number;
  readonly itemsWithOneRow: number;
  /** The most rows of a user. */
  readonly rowsOfLargestUser: number;
  /** The share of the rows that belong to the most frequent 1 % of the items. */
  readonly shareOfTopItems: number;
  /** The first and the last time, in seconds since 1970-01-01 UTC. */
  readonly firstTime?: number;
  readonly lastTime?: number;
  /** The number of broken rows, which were left out, and the first of them. */
  readonly broken: number;
  readonly firstBroken: readonly (BrokenRow & { readonly path: string })[];
}

/** Measures interactions in two passes, with 4 bytes of memory for each row. */
export function measureQuality(
  table: InteractionTable,
  broken: Pick<InteractionQuality, 'broken' | 'firstBroken'>,
): InteractionQuality {
  const { length, users, items, times } = table;
  const userRows = countsOf(users, table.userVocabulary.size, length);
  const itemRows = countsOf(items, table.itemVocabulary.size, length);
  const top = itemRows.slice().sort().reverse();
  const topItems = Math.max(1, Math.floor(top.length / 100));
  return {
    rows: length,
    users: table.userVocabulary.size,
    items: table.itemVocabulary.size,
    duplicates: duplicatesOf(table, userRows),
    usersWithOneRow: userRows.filter((count) => count === 1).length,
    itemsWithOneRow: itemRows.filter((count) => count === 1).length,
    rowsOfLargestUser: userRows.reduce((a, b) => Math.max(a, b), 0),
    shareOfTopItems: length === 0 ? 0 : top.subarray(0, topItems).reduce((a, b) => a + b, 0) / length,
    ...(times && length > 0 && { firstTime: times.min, lastTime: times.max }),
    ...broken,
  };
}

function countsOf(codes: { at(row: number): number }, size: number, length: number): Int32Array {
  const counts = new Int32Array(size);
  for (let row = 0; row < length; row++) counts[codes.at(row)]!++;
  return counts;
}

/** Rows that are sorted together, which limits the memory to 16 MB. */
const SORTED_ROWS = 1 << 22;

/** Counts duplicates in groups of users that have some million rows together. */
function duplicatesOf(table: InteractionTable, userRows: Int32Array): number {
  const lastUser = new Int32Array(table.itemVocabulary.size).fill(-1);
  let duplicates = 0;
  for (let first = 0; first < userRows.length; ) {
    let end = first;
    let rows = 0;
    while (end < userRows.length && (end === first || rows + userRows[end]! <= SORTED_ROWS)) rows += userRows[end++]!;
    duplicates += duplicatesAmong(table, userRows, { first, end, rows }, lastUser);
    first = end;
  }
  return duplicates;
}

/** Sorts the items of a group by user (counting sort) and counts the items that a user has more than once. */
function duplicatesAmong(
  { length, users, items }: InteractionTable,
  userRows: Int32Array,
  { first, end, rows }: { first: number; end: number; rows: number },
  lastUser: Int32Array,
): number {
  const ends = new Int32Array(end - first);
  for (let user = 1; user < ends.length; user++) ends[user] = ends[user - 1]! + userRows[first + user - 1]!;
  const sorted = new Int32Array(rows);
  for (let row = 0; row < length; row++) {
    const user = users.at(row) - first;
    if (user >= 0 && user < ends.length) sorted[ends[user]!++] = items.at(row);
  }
  let duplicates = 0;
  for (let user = 0, at = 0; user < ends.length; user++) {
    for (; at < ends[user]!; at++) {
      if (lastUser[sorted[at]!] === first + user) duplicates++;
      lastUser[sorted[at]!] = first + user;
    }
  }
  return duplicates;
}
