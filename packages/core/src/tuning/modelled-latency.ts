/**
 * A model of the latency of a query, computed from its counted work: the same number on every machine and in every run.
 *
 *   latency = CALL + LEAF · leaves + centroids · d + codes · blocks + reorders · (REORDER + d) + TABLE · d + ROTATION · d²
 *
 * Nanoseconds of one core, measured at 32 to 768 dimensions with float32 rows; rows in int8 take about a fifth less to
 * reorder. Use it to compare settings; to measure real milliseconds give `tune` a clock.
 */
import type { SearchWork } from '../topk/scann/search/search-work.ts';
import { CODE_NS, ROTATION_NS } from '../topk/scann/search/work-costs.ts';

/** Cost of a call of one query without any scan. */
const CALL_NS = 2000;
/** Cost of each leaf searched, even where few of its groups are scored: its first cache line comes from main memory. */
const LEAF_NS = 120;
const CENTROID_NS = 0.03;
/** A reordered candidate: its row comes from memory, line by line. 47, 84, 176, 444 at 32, 128, 300, 768 dimensions. */
const REORDER_NS = 45;
const REORDER_DIMENSION_NS = 0.45;
/** The table of products of a query with the codewords. */
const TABLE_DIMENSION_NS = 7;

/** The modelled latency of a query, in milliseconds. */
export function modelledLatencyMs(
  { queries, leaves, centroids, codes, reorders }: SearchWork,
  {
    dimensions,
    codedDimensions: coded = dimensions,
    blocks,
    isRotated,
  }: { dimensions: number; codedDimensions?: number; blocks: number; isRotated: boolean },
): number {
  const work =
    leaves * LEAF_NS +
    centroids * coded * CENTROID_NS +
    codes * blocks * CODE_NS +
    reorders * (REORDER_NS + dimensions * REORDER_DIMENSION_NS);
  const own = CALL_NS + coded * TABLE_DIMENSION_NS + (isRotated ? coded ** 2 * ROTATION_NS : 0);
  return (work / queries + own) / 1e6;
}
