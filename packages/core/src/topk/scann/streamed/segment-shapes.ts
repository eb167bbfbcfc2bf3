/** The shapes of the segments of a build that does not have all rows in memory. */
import { GROUP_SLOTS, type LeafShape } from '../leaves.ts';
import type { ScannSettings } from '../settings.ts';

/**
 * Rows of the sample for each leaf, as long as these are at most SAMPLE_ROWS, and the fewest for more leaves: the mean of 50 rows
 * is 1/50, and the mean of 16 rows 1/16, of the mean squared distance away from that of all rows of a leaf.
 */
const SAMPLE_PER_LEAF = 50;
const SAMPLE_PER_LEAF_MIN = 16;
/** A sample of more rows costs memory beside the segments: 256 MB at 32 dimensions. */
const SAMPLE_ROWS = 2_000_000;

/** Rows of the training sample. */
export function sampleSizeOf({ trainingSampleSize, numLeaves }: ScannSettings): number {
  const rows = Math.max(SAMPLE_PER_LEAF_MIN * numLeaves, Math.min(SAMPLE_PER_LEAF * numLeaves, SAMPLE_ROWS));
  return Math.max(trainingSampleSize, rows);
}

/** The settings of the training: k-means uses the whole sample, because centroids of few rows each fit no others. */
export function trainingSettings(settings: ScannSettings): ScannSettings {
  return { ...settings, trainingSampleSize: sampleSizeOf(settings) };
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
