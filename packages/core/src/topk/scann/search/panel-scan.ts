/**
 * Calls that score every candidate with the kernel of the exact index, which reads a panel of eight rows once for four
 * queries.
 *
 * A flat index keeps a second copy of its rows in panels from its first call on; an exact call of an index with leaves
 * packs the rows during the call. Scores and their order have the same bits as those of the kernel that scores slots
 * (assembly/reorder.ts), because both sum in the order of the dimensions. Limit: exact
 * calls of an index with leaves by `callAsync` are scored slot by slot.
 */
import type { PanelSearch } from '../../brute-force/panel-search.ts';
import { CHUNK_ROWS } from '../../brute-force/panel-store.ts';
import type { CallOptions, Identifier } from '../../contract.ts';
import { maskWords, RowMask } from '../../row-mask.ts';
import { StreamSearch } from '../../streaming/stream-search.ts';
import type { VectorSource } from '../../vector-source.ts';
import type { LeafSet } from '../leaf-set.ts';
import { rowReader } from '../update/kept-rows.ts';
import type { LiveIndex } from '../update/live-index.ts';
import type { Found } from './call-buffers.ts';
import { excludedRows } from './completion.ts';
import type { DistinctQueries } from './distinct-queries.ts';
import type { GroupFilter } from './masks.ts';
import type { SearchPlan } from './plan.ts';
import type { SearchWork } from './search-work.ts';

/** From this many queries on, packing saves time: 16 of 18,500 × 300 take 45 ms, by slots 55 to 60; 8 take 46, by slots 30. */
const PACKED_QUERIES_MIN = 16;

/** The input of a scan of a flat index. */
export type FlatScan = Parameters<PanelSearch['run']>;

/** The scan of a call of a flat index; undefined where the call scores slots instead. */
export function flatScan<I extends Identifier>(
  live: LiveIndex<I>,
  plan: SearchPlan,
  distinct: DistinctQueries,
  filter: GroupFilter | undefined,
  exclude: CallOptions<I>['exclude'],
): FlatScan | undefined {
  if (!plan.listed || plan.k === 0) return undefined;
  const { panels, identifiers, leaves } = live;
  if (!panels) return undefined;
  // In a flat index slot and row are the same, so the words of the groups are a row mask.
  const { groups } = leaves.shape;
  let present: Int32Array | undefined;
  if (live.size < identifiers.size) {
    present = new Int32Array(maskWords(identifiers.size));
    present.set(leaves.head.integers('valid').subarray(0, groups));
  }
  const masked = { ...(plan.exclusions && { exclude }), ...(filter && { filter: filter.words().integers(groups) }) };
  const mask = RowMask.of(identifiers, distinct.count, masked, present);
  return [
    panels,
    querySource(distinct, leaves),
    plan.k,
    mask as RowMask<never> | undefined,
    undefined,
    leaves.shape.isSquared,
  ];
}

/** True if an exact call of an index with leaves packs the rows. */
export function isPackedScan(plan: SearchPlan, queries: number): boolean {
  const isWhole = plan.filter === 0 && !plan.exclusions && plan.k > 0;
  return plan.listed !== undefined && isWhole && queries >= PACKED_QUERIES_MIN;
}

/** The best of all candidates of an index with leaves; rows are packed and scored in order, a chunk at a time. */
export function packedScan<I extends Identifier>(live: LiveIndex<I>, k: number, distinct: DistinctQueries): Found {
  const { leaves, identifiers, slots } = live;
  const d = leaves.shape.dimensions;
  const present = new Int32Array(live.size);
  let count = 0;
  for (let row = 0; row < identifiers.size; row++) if (slots.first(row) >= 0) present[count++] = row;
  const stream = new StreamSearch<number>(leaves.runtime, querySource(distinct, leaves), { k }, leaves.shape.isSquared);
  try {
    for (let begin = 0; begin < count; begin += CHUNK_ROWS) {
      const rows = present.subarray(begin, Math.min(count, begin + CHUNK_ROWS));
      const data = new Float32Array(rows.length * d);
      // A new reader for each chunk: the memory may have grown.
      const read = rowReader(leaves);
      rows.forEach((row, i) => {
        read(slots.first(row), data.subarray(i * d, (i + 1) * d));
      });
      stream.add({ data, dimensions: d });
    }
    const { counts, scores, rows } = stream.result();
    return { counts, scores, rows: rows.map((at) => (at < 0 ? at : present[at]!)) };
  } finally {
    stream.free();
  }
}

/** Count the work of a scan: the candidates that each query scores exactly. */
export function addScanWork<I extends Identifier>(
  work: SearchWork,
  live: LiveIndex<I>,
  plan: SearchPlan,
  filter: GroupFilter | undefined,
  queries: number,
): void {
  work.queries += queries;
  work.reorders += queries * (filter ? filter.countPresent() : live.size);
  if (!plan.exclusions) return;
  for (let query = 0; query < queries; query++) work.reorders -= excludedRows(live, filter, plan.exclusions, query);
}

function querySource({ count, write }: DistinctQueries, { shape: { dimensions } }: LeafSet): VectorSource {
  return { rows: count, dimensions, copy: (begin, end, to) => write(begin, end, to, dimensions) };
}
