/**
 * Interactions as lists: the items of each user, or the users of each item, in compressed rows.
 *
 * An item that a user chose several times is in the list once, at its last place, with the sum of the weights.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { type OptionType, objectWith } from '../checks/options.ts';
import { checkInteractions, type Interactions, rowsByTime } from './interactions.ts';

/** The type of an argument that is lists of codes. */
export const LISTS: OptionType = objectWith('lists of codes', 'starts', 'codes', 'codeCount');

/** Lists of codes: list r is `codes[starts[r] … starts[r + 1])`. */
export interface CodeLists {
  /** [lists + 1] */
  readonly starts: Int32Array;
  readonly codes: Int32Array;
  /** [codes] weights; absent where all are 1. */
  readonly weights?: Float32Array | undefined;
  /** Codes are below this. */
  readonly codeCount: number;
}

/** List `row` of lists, as a view. */
export function listOf(lists: CodeLists, row: number): Int32Array {
  checkArgument('lists', lists, LISTS);
  const { starts, codes } = lists;
  checkInteger('row', row, 0, starts.length - 2);
  return codes.subarray(starts[row]!, starts[row + 1]!);
}

/** The items of each user of the vocabulary, the earliest first. */
export function itemsByUser(interactions: Interactions): CodeLists {
  checkInteractions(interactions);
  const { users, items, weights, length } = interactions;
  const order = rowsByTime(interactions);
  const userCount = users.vocabulary.length;
  const rows = groupRows(order, users.codes, userCount);
  const ends = new Int32Array(userCount + 1);
  const codes = new Int32Array(length);
  const sums = new Float32Array(length);
  // The place in its user's list of the row that holds an item; stamps say whose.
  const stamp = new Int32Array(items.vocabulary.length).fill(-1);
  const total = new Float64Array(items.vocabulary.length);
  let end = 0;
  let isWeighted = weights !== undefined;
  for (let user = 0; user < userCount; user++) {
    const [from, to] = [rows.starts[user]!, rows.starts[user + 1]!];
    let distinct = 0;
    for (let i = from; i < to; i++) {
      const item = items.codes[rows.rows[i]!]!;
      const weight = weights ? weights[rows.rows[i]!]! : 1;
      if (stamp[item] !== user) distinct++;
      total[item] = stamp[item] === user ? total[item]! + weight : weight;
      stamp[item] = user;
    }
    // Rows are visited from the last to the first, so the first visit of an item is its last place.
    let at = end + distinct;
    ends[user + 1] = at;
    for (let i = to - 1; i >= from; i--) {
      const item = items.codes[rows.rows[i]!]!;
      if (stamp[item] !== user) continue;
      stamp[item] = -1;
      codes[--at] = item;
      sums[at] = total[item]!;
      isWeighted ||= total[item] !== 1;
    }
    end = ends[user + 1]!;
  }
  return {
    starts: ends,
    codes: codes.slice(0, end),
    weights: isWeighted ? sums.slice(0, end) : undefined,
    codeCount: items.vocabulary.length,
  };
}

/** The inverted lists: for every code, the numbers of the lists that contain it, in ascending order. */
export function transposeLists(from: CodeLists): CodeLists {
  checkArgument('lists', from, LISTS);
  const { starts, codes, weights, codeCount } = from;
  const listCount = starts.length - 1;
  const begins = new Int32Array(codeCount + 1);
  for (const code of codes) begins[code + 1]!++;
  for (let code = 0; code < codeCount; code++) begins[code + 1] = begins[code + 1]! + begins[code]!;
  const next = begins.slice();
  const lists = new Int32Array(codes.length);
  const moved = weights && new Float32Array(codes.length);
  for (let list = 0; list < listCount; list++) {
    for (let i = starts[list]!; i < starts[list + 1]!; i++) {
      const to = next[codes[i]!]!++;
      lists[to] = list;
      if (moved) moved[to] = weights![i]!;
    }
  }
  return { starts: begins, codes: lists, weights: moved, codeCount: listCount };
}

/** The number of lists that have each code. */
export function codeCounts({ codes, codeCount }: CodeLists): Int32Array {
  const counts = new Int32Array(codeCount);
  for (const code of codes) counts[code]!++;
  return counts;
}

/** The rows of each group, in the order given. */
function groupRows(order: Int32Array, groupOf: Int32Array, groups: number): { starts: Int32Array; rows: Int32Array } {
  const starts = new Int32Array(groups + 1);
  for (const row of order) starts[groupOf[row]! + 1]!++;
  for (let group = 0; group < groups; group++) starts[group + 1] = starts[group + 1]! + starts[group]!;
  const next = starts.slice();
  const rows = new Int32Array(order.length);
  for (const row of order) rows[next[groupOf[row]!]!++] = row;
  return { starts, rows };
}
