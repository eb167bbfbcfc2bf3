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
/** The score of a point that is left out (assembly/lut16.ts): less than all others. */
export const LEAST = -32_768;
/** More than the groups of a scan: slots are int32, and a group has 32. */
const SCANNED_MAX = 2 ** 26;
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
  const { integers, slots, slotScores, candidates } = segment;
  let kept = 0;
  for (let i = 0; i < candidates; i++) {
    const score = integers[slotScores + i]!;
    if (score < least) continue;
    integers[slots + kept] = integers[slots + i]!;
    integers[slotScores + kept] = score;
    kept++;
  }
  segment.candidates = kept;
}

/** The least score of the candidates of a segment. */
export function leastScore({ integers, slotScores, candidates }: Segment): number {
  let least = -LEAST;
  for (let at = slotScores; at < slotScores + candidates; at++) least = Math.min(least, integers[at]!);
  return least;
}

/** A candidate whose score is the least that is kept; `order` is larger where it was scanned later. */
interface Tie {
  segment: Segment;
  slot: number;
  order: number;
}

/** Keep the candidates above `least`, and in the order of the scan the first `room` of those that have this score. */
function keepInOrder(segments: readonly Segment[], runs: readonly Run[], least: number, room: number): void {
  const ties: Tie[] = [];
  for (const segment of segments) {
    const { integers, slots, slotScores, candidates } = segment;
    const position = { run: 0, scanned: 0 };
    for (let i = 0; i < candidates; i++) {
      if (integers[slotScores + i] !== least) continue;
      const slot = integers[slots + i]!;
      advance(position, segment, slot >> 5, runs);
      ties.push({ segment, slot, order: position.run * SCANNED_MAX + position.scanned });
    }
    keepFrom(segment, least + 1);
  }
  // Ties of one group are listed in the order of their slots, which the sort keeps.
  ties.sort((a, b) => a.order - b.order);
  for (const { segment, slot } of ties.slice(0, room)) {
    const at = segment.candidates++;
    segment.integers[segment.slots + at] = slot;
    segment.integers[segment.slotScores + at] = least;
  }
}

/** Move a position in the scan on to a group of a segment. */
function advance(
  position: { run: number; scanned: number },
  segment: Segment,
  group: number,
  runs: readonly Run[],
): void {
  const { integers, groupIds } = segment;
  for (; position.run < runs.length; position.run++) {
    const run = runs[position.run]!;
    if (run.segment !== segment) continue;
    position.scanned = Math.max(position.scanned, run.begin);
    for (; position.scanned < run.end; position.scanned++) {
      if (integers[groupIds + position.scanned] === group) return;
    }
  }
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
