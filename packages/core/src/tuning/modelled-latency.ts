/**
 * What a query costs, from its counted work: a latency that is the same on every machine and in every run.
 *
 *   call + leaves + centroids · d + codes · blocks + reorders · (start + d) + d for the table of products, d² to rotate
 *
 * Nanoseconds of one core, measured at 32 to 768 dimensions with float32 rows; rows in int8 take about a fifth less to
 * reorder. It is meant to compare settings; where milliseconds matter hand a clock to `tune`.
 */
import type { SearchWork } from '../topk/scann/search/search-work.ts';

/** A call of one query that finds nothing to do. */
const CALL_NS = 2000;
/** A leaf searched, however few of its groups are: its first line comes from memory. */
const LEAF_NS = 120;
const CENTROID_NS = 0.03;
const CODE_NS = 0.025;
/** A reordered candidate: its row comes from memory, line by line. 47, 84, 176, 444 at 32, 128, 300, 768 dimensions. */
const REORDER_NS = 45;
const REORDER_DIMENSION_NS = 0.45;
/** The table of products of a query with the codewords. */
const TABLE_DIMENSION_NS = 7;
/** Turning a query into the directions of the codes: the square of the width. */
const ROTATION_NS = 0.05;

/** Milliseconds a query. */
export function modelledLatencyMs(
  { queries, leaves, centroids, codes, reorders }: SearchWork,
  { dimensions, blocks, isRotated }: { dimensions: number; blocks: number; isRotated: boolean },
): number {
  const work =
    leaves * LEAF_NS +
    centroids * dimensions * CENTROID_NS +
    codes * blocks * CODE_NS +
    reorders * (REORDER_NS + dimensions * REORDER_DIMENSION_NS);
  const own = CALL_NS + dimensions * TABLE_DIMENSION_NS + (isRotated ? dimensions ** 2 * ROTATION_NS : 0);
  return (work / queries + own) / 1e6;
}
