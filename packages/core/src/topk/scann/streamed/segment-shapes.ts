/** The shapes of the segments of a build that does not have all rows in memory. */
import { GROUP_SLOTS, type LeafShape } from '../leaves.ts';
import type { ScannSettings } from '../settings.ts';

/** The fewest rows of the sample for each leaf: the mean of fewer rows varies too much from sample to sample. */
const SAMPLE_PER_LEAF = 50;

/** Rows of the training sample. */
export function sampleSizeOf({ trainingSampleSize, numLeaves }: ScannSettings): number {
  return Math.max(trainingSampleSize, SAMPLE_PER_LEAF * numLeaves);
}

/** The segment that has a leaf. */
export function segmentOf(firstLeaves: readonly number[], leaf: number): number {
  let segment = 0;
  while (leaf >= firstLeaves[segment + 1]!) segment++;
  return segment;
}

/**
 * The shapes of segments.
 *
 * @param firstLeaves the first leaf of each segment, followed by the end of the last
 * @param leafRows candidates in each leaf of the index
 * @param records the rows of each segment
 */
export function shapesOf(
  head: LeafShape,
  firstLeaves: readonly number[],
  leafRows: readonly number[],
  records: readonly number[],
): LeafShape[] {
  return firstLeaves.slice(1).map((end, s) => {
    const own = leafRows.slice(firstLeaves[s]!, end);
    const groups = own.reduce((sum, count) => sum + Math.ceil(count / GROUP_SLOTS), 0);
    const places = head.copies > 1 ? records[s]! : 0;
    return { ...head, groups, capacity: groups, builtGroups: groups, places };
  });
}
