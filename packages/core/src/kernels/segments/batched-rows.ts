/**
 * Rows in a file for several queries at once: their candidates wait until there are enough of them, then the rows of each
 * segment are read together, sorted by offset, so that neighbours are one read and a row that several queries need is
 * read once.
 */
import { type Segment, STATE_LENGTH } from './segment.ts';
import type { SegmentRows } from './segment-rows.ts';

/** The candidates of a query in one segment. */
interface Chosen {
  segment: Segment;
  slots: Int32Array;
  /** The state of the query in the segment, which counts its work. */
  state: Int32Array;
}

/** A query whose candidates are chosen. */
export interface WaitingQuery {
  item: number;
  chosen: readonly Chosen[];
  /** Centroids scored in the head. */
  centroids: number;
}

/** Keep the candidates of a query, which the segments forget at the next one. */
export function waitingQuery(item: number, segments: readonly Segment[], centroids: number): WaitingQuery {
  const chosen = segments.map((segment): Chosen => {
    const { integers, slots, state, candidates } = segment;
    return {
      segment,
      slots: integers.slice(slots, slots + candidates),
      state: integers.slice(state, state + STATE_LENGTH),
    };
  });
  return { item, chosen, centroids };
}

/** Bytes of the rows of a query's candidates. */
export function waitingBytes({ chosen }: WaitingQuery): number {
  return chosen.reduce((sum, { segment, slots }) => sum + slots.length * segment.rowBytes, 0);
}

/**
 * Read the rows of the candidates of all queries, and call `visit` with each query and each of its segments when the segment is
 * as it was, and the view of its rows has those of the query.
 *
 * @param finish called after the segments of a query
 * @throws {RowReadFailure} when a file cannot be read; no query was visited then
 */
export function readTogether(
  queries: readonly WaitingQuery[],
  rows: ReadonlyMap<Segment, SegmentRows>,
  visit: (segment: Segment, rows: SegmentRows, item: number) => void,
  finish: (query: WaitingQuery) => void,
): void {
  const lists = new Map<Segment, Int32Array[]>();
  for (const { chosen } of queries) {
    for (const { segment, slots } of chosen) {
      const own = lists.get(segment);
      if (own) own.push(slots);
      else lists.set(segment, [slots]);
    }
  }
  for (const [segment, own] of lists) rows.get(segment)!.read(segment, own);
  for (const query of queries) {
    for (const { segment, slots, state } of query.chosen) {
      segment.integers.set(state, segment.state);
      segment.candidates = slots.length;
      const own = rows.get(segment)!;
      own.show(segment, slots);
      visit(segment, own, query.item);
    }
    finish(query);
  }
}
