/**
 * Merges the candidates and the results that the segments of an index found for a query, so that they equal those of an
 * index in one memory: the R best candidates by approximate score, ties in the order of the scan, and the k best
 * results, ties by row.
 */
import type { Segment } from './segment.ts';

/** Leaves scanned one after another in one segment, as groups [begin, end) in the order of its scan. */
export interface Run {
  segment: Segment;
  begin: number;
  end: number;
}

/** Approximate scores are int16. */
const SCORES = 65_536;
const LEAST = -32_768;
/** The number of candidates of each score; all zeros between two uses. Each thread has its own. */
const histogram = new Int32Array(SCORES);

/** Keep only the `wanted` best of the segments' candidates. */
export function cutCandidates(segments: readonly Segment[], runs: readonly Run[], wanted: number): void {
  let total = 0;
  for (const { candidates } of segments) total += candidates;
  if (total <= wanted) return;
  const { least, room, ties } = cutAt(segments, wanted);
  if (ties <= room) for (const segment of segments) keepFrom(segment, least);
  else keepInOrder(segments, runs, least, room);
}

/** The least score that is kept; of the candidates with this score, the number that is kept and the number of all. */
function cutAt(segments: readonly Segment[], wanted: number): { least: number; room: number; ties: number } {
  let most = LEAST;
  for (const { integers, slotScores, candidates } of segments) {
    for (let at = slotScores; at < slotScores + candidates; at++) {
      const score = integers[at]!;
      histogram[score - LEAST]!++;
      if (score > most) most = score;
    }
  }
  let room = wanted;
  let least = most;
  for (; histogram[least - LEAST]! < room; least--) room -= histogram[least - LEAST]!;
  const ties = histogram[least - LEAST]!;
  for (const { integers, slotScores, candidates } of segments) {
    for (let at = slotScores; at < slotScores + candidates; at++) histogram[integers[at]! - LEAST] = 0;
  }
  return { least, room, ties };
}

/** Keep the candidates of a segment whose score is at least `least`. */
function keepFrom(segment: Segment, least: number): void {
  let kept = 0;
  for (let i = 0; i < segment.candidates; i++) kept = keep(segment, i, kept, least);
  segment.candidates = kept;
}

/** Keep candidate `i`, as candidate number `kept`, if its score is at least `least`; returns the number kept. */
function keep({ integers, slots, slotScores }: Segment, i: number, kept: number, least: number): number {
  const score = integers[slotScores + i]!;
  if (score < least) return kept;
  integers[slots + kept] = integers[slots + i]!;
  integers[slotScores + kept] = score;
  return kept + 1;
}

/** Keep the candidates above `least`, and in the order of the scan the first `room` of those that have this score. */
function keepInOrder(segments: readonly Segment[], runs: readonly Run[], least: number, room: number): void {
  // The candidates of a segment are in the order of its scan, so one pass over its groups finds each of them in turn.
  const next = new Map(segments.map((segment) => [segment, { from: 0, kept: 0 }]));
  let left = room;
  for (const { segment, begin, end } of runs) {
    const { integers, groupIds, slots, slotScores, candidates } = segment;
    const at = next.get(segment)!;
    for (let scanned = begin; scanned < end; scanned++) {
      const group = integers[groupIds + scanned]!;
      for (; at.from < candidates && integers[slots + at.from]! >> 5 === group; at.from++) {
        const isTie = integers[slotScores + at.from] === least;
        if (!isTie || left > 0) at.kept = keep(segment, at.from, at.kept, least);
        if (isTie) left--;
      }
    }
  }
  for (const segment of segments) segment.candidates = next.get(segment)!.kept;
}

/** Write the k best results of the segments, each row once, and the sums of their work as the result of the head. */
export function mergeResults(head: Segment, segments: readonly Segment[], item: number): void {
  const { results: k, copies } = head;
  const first = item * k;
  let count = 0;
  for (const segment of segments) segment.taken = 0;
  while (count < k) {
    const from = bestOf(segments, item, k);
    if (!from) break;
    const at = first + from.taken++;
    const row = from.integers[from.rowsOut + at]!;
    // A row may have slots in two segments.
    if (copies > 1 && isListed(head, first, count, row)) continue;
    head.floats[head.scoresOut + first + count] = from.floats[from.scoresOut + at]!;
    head.integers[head.rowsOut + first + count] = row;
    count++;
  }
  head.integers[head.countsOut + item] = count;
  if (head.countersOut > 0) sumWork(head, segments, item);
}

/** The segment whose next result is the best of all; undefined where none is left. */
function bestOf(segments: readonly Segment[], item: number, k: number): Segment | undefined {
  let best: Segment | undefined;
  let bestScore = 0;
  let bestRow = 0;
  for (const segment of segments) {
    const { integers, floats, taken } = segment;
    if (taken >= integers[segment.countsOut + item]!) continue;
    const score = floats[segment.scoresOut + item * k + taken]!;
    const row = integers[segment.rowsOut + item * k + taken]!;
    if (best && (score < bestScore || (score === bestScore && row > bestRow))) continue;
    best = segment;
    bestScore = score;
    bestRow = row;
  }
  return best;
}

function isListed({ integers, rowsOut }: Segment, first: number, count: number, row: number): boolean {
  for (let at = rowsOut + first; at < rowsOut + first + count; at++) if (integers[at] === row) return true;
  return false;
}

/**
 * Sum the four counters of a query (topk/scann/search/search-work.ts); the caller then sets the centroids of the head.
 */
function sumWork(head: Segment, segments: readonly Segment[], item: number): void {
  for (let counter = 0; counter < 4; counter++) {
    let sum = 0;
    for (const { integers, countersOut } of segments) sum += integers[countersOut + 4 * item + counter]!;
    head.integers[head.countersOut + 4 * item + counter] = sum;
  }
}
