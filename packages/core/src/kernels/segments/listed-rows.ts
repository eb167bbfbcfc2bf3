/**
 * Scores a list of slots exactly where the rows of the segment stay in a file: what the kernel `searchSlots` does, for as
 * many rows at a time as the segment has room for.
 */
import { SCANN_CALL } from '../families/scann.ts';
import { fieldPositions, type RecordValues } from '../record.ts';
import type { Segment } from './segment.ts';
import type { SegmentRows } from './segment-rows.ts';

const CALL: RecordValues<typeof SCANN_CALL> = fieldPositions(SCANN_CALL);

/** A result of a query. */
interface Result {
  score: number;
  row: number;
}

/** Score the listed slots of a call for query `item` and write the results of the segment. */
export function searchListed(segment: Segment, rows: SegmentRows, item: number): void {
  const { integers, slots, kernels, slot: thread, call } = segment;
  const k = segment.results;
  let best: Result[] = [];
  let count = 0;
  let total = 0;
  const score = (): void => {
    rows.load(segment, count);
    kernels.reorderChosen(thread, item, rows.view, call, count);
    best = merged([...best, ...resultsOf(segment, item)], k);
    total += count;
    count = 0;
  };
  for (const slot of allowedSlots(segment, item)) {
    integers[slots + count++] = slot;
    if (count === rows.capacity) score();
  }
  if (count > 0) score();
  writeResults(segment, item, best);
  if (segment.countersOut > 0) integers.set([0, 0, 0, total], segment.countersOut + 4 * item);
}

/** The listed slots that hold a point and may be returned. */
function* allowedSlots({ integers, call, valid }: Segment, item: number): Generator<number> {
  const at = call / 4;
  const field = (position: number): number => (integers[at + position]! >>> 0) / 4;
  const [listed, filter, exclusions, begins] = [CALL.slots, CALL.filter, CALL.exclusions, CALL.exclusionBegin].map(
    field,
  ) as [number, number, number, number];
  const excluded = new Set(
    begins > 0
      ? integers.subarray(exclusions + integers[begins + item]!, exclusions + integers[begins + item + 1]!)
      : undefined,
  );
  const count = integers[at + CALL.slotCount]!;
  for (let i = 0; i < count; i++) {
    const slot = listed > 0 ? integers[listed + i]! : i;
    const bits = integers[valid + (slot >> 5)]! & (filter > 0 ? integers[filter + (slot >> 5)]! : -1);
    if ((bits >>> (slot & 31)) & 1 && !excluded.has(slot)) yield slot;
  }
}

function resultsOf({ integers, floats, scoresOut, rowsOut, countsOut, results: k }: Segment, item: number): Result[] {
  return Array.from({ length: integers[countsOut + item]! }, (_, i) => ({
    score: floats[scoresOut + item * k + i]!,
    row: integers[rowsOut + item * k + i]!,
  }));
}

/** The k best results, each row once. */
function merged(results: readonly Result[], k: number): Result[] {
  const sorted = [...results].sort((a, b) => b.score - a.score || a.row - b.row);
  const seen = new Set<number>();
  return sorted.filter(({ row }) => !seen.has(row) && seen.add(row)).slice(0, k);
}

function writeResults(segment: Segment, item: number, best: readonly Result[]): void {
  const { integers, floats, scoresOut, rowsOut, countsOut, results: k } = segment;
  best.forEach(({ score, row }, i) => {
    floats[scoresOut + item * k + i] = score;
    integers[rowsOut + item * k + i] = row;
  });
  integers[countsOut + item] = best.length;
}
