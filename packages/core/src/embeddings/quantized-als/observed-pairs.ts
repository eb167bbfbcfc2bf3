/**
 * Rows of training data as the lists of both sides: for each query id its rows, and for each candidate id its rows. The
 * two share one array with the error of each row, which the solver keeps up to date.
 *
 *   error(row) = ⟨query, candidate⟩ − label,   label 1 without labels
 *
 * Rows whose id has no learned pointer on a side are left out. Memory: 20 bytes per row.
 */
import type { CoOccurrences } from '../co-occurrence-matrix.ts';

/** The rows of the ids of one side: those of id i are `rows[starts[i] … starts[i + 1])`. */
export interface PairLists {
  /** [ids + 1] */
  readonly starts: Int32Array;
  /** [N] the id of the other side. */
  readonly others: Int32Array;
  /** [N] where the error of the row is. */
  readonly rows: Int32Array;
}

/** The rows in which both ids are chosen. */
export class ObservedPairs {
  readonly lists: readonly [PairLists, PairLists];
  /** [N] */
  readonly errors: Float32Array;

  /** @param numbers for each side and id, its number among the fitted ids of the side, or −1 */
  constructor({ queries, candidates, labels }: CoOccurrences, numbers: readonly [Int32Array, Int32Array]) {
    const isKept = (row: number): boolean => numbers[0][queries[row]!]! >= 0 && numbers[1][candidates[row]!]! >= 0;
    const kept = Int32Array.from({ length: queries.length }, (_, row) => row).filter(isKept);
    const a = kept.map((row) => numbers[0][queries[row]!]!);
    const b = kept.map((row) => numbers[1][candidates[row]!]!);
    this.errors = Float32Array.from(kept, (row) => -(labels?.[row] ?? 1));
    this.lists = [listsOf(a, b, countOf(numbers[0])), listsOf(b, a, countOf(numbers[1]))];
  }
}

/** The number of fitted ids. */
function countOf(numbers: Int32Array): number {
  return numbers.reduce((most, number) => Math.max(most, number + 1), 0);
}

/** The rows of each id, in the order of the data. */
function listsOf(ids: Int32Array, partners: Int32Array, count: number): PairLists {
  const starts = new Int32Array(count + 1);
  for (const id of ids) starts[id + 1]!++;
  for (let id = 0; id < count; id++) starts[id + 1]! += starts[id]!;
  const next = starts.slice(0, count);
  const [others, rows] = [new Int32Array(ids.length), new Int32Array(ids.length)];
  for (let row = 0; row < ids.length; row++) {
    const at = next[ids[row]!]!++;
    others[at] = partners[row]!;
    rows[at] = row;
  }
  return { starts, others, rows };
}
