/**
 * Calls that score every candidate with the kernel of the exact index, which reads a panel of eight rows once for four
 * queries.
 *
 * A flat index keeps a second copy of its rows in panels from its first call on; an exact call of an index with leaves
 * packs the rows during the call. Scores and their order have the same bits as those of the kernel that scores slots
 * (assembly/reorder.ts), because both sum in the order of the dimensions. Limit: exact
 * calls of an index with leaves by `callAsync` are scored slot by slot.
 */
import { type Best, emptyBest, PanelSearch } from '../../brute-force/panel-search.ts';
import { CHUNK_ROWS, PanelStore, SPARE_BYTES } from '../../brute-force/panel-store.ts';
import type { CallOptions, Identifier } from '../../contract.ts';
import { maskWords, RowMask } from '../../row-mask.ts';
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

/** True if an exact call of an index with leaves packs the rows: for enough queries, and where the memory can hold a chunk. */
export function isPackedScan({ runtime, shape }: LeafSet, plan: SearchPlan, queries: number): boolean {
  const isWhole = plan.filter === 0 && !plan.exclusions && plan.k > 0;
  const isEnough = plan.listed !== undefined && isWhole && queries >= PACKED_QUERIES_MIN;
  // Rows of a chunk are copied, and then packed.
  return isEnough && runtime.heap.canHold([SPARE_BYTES + 8 * CHUNK_ROWS * shape.dimensions]);
}

/** The best of all candidates of an index with leaves; rows are packed and scored in order, a chunk at a time. */
export function packedScan<I extends Identifier>(live: LiveIndex<I>, k: number, distinct: DistinctQueries): Found {
  const { leaves, identifiers, slots } = live;
  const d = leaves.shape.dimensions;
  const present = new Int32Array(live.size);
  let count = 0;
  for (let row = 0; row < identifiers.size; row++) if (slots.first(row) >= 0) present[count++] = row;
  const queries = querySource(distinct, leaves);
  const search = new PanelSearch(leaves.runtime);
  const store = new PanelStore(leaves.runtime);
  const columns = Math.min(k, count);
  let best = emptyBest(queries.rows, columns);
  try {
    for (let begin = 0; begin < count; begin += CHUNK_ROWS) {
      const rows = present.subarray(begin, Math.min(count, begin + CHUNK_ROWS));
      const copy = (first: number, last: number, to: Float32Array): void => {
        // A new reader each time: the memory may have grown.
        const read = rowReader(leaves);
        for (let i = first; i < last; i++) {
          read(slots.first(rows[i]!), to.subarray((i - first) * d, (i + 1 - first) * d));
        }
      };
      store.append({ rows: rows.length, dimensions: d, copy }).finish();
      const found = search.run(
        store,
        queries,
        Math.min(columns, rows.length),
        undefined,
        undefined,
        leaves.shape.isSquared,
      );
      best = merged(best, found, rows, columns);
      store.free();
    }
    return best;
  } finally {
    store.free();
    search.free();
  }
}

/** The best of `best` and of a later chunk of rows, whose rows are positions in `rowOf`. Among equal scores earlier rows are first. */
function merged(best: Best, chunk: Best, rowOf: Int32Array, columns: number): Best {
  const queries = best.counts.length;
  const width = chunk.rows.length / queries;
  const both = emptyBest(queries, columns);
  for (let query = 0; query < queries; query++) {
    let [own, other] = [query * columns, query * width];
    const [ownEnd, otherEnd] = [own + best.counts[query]!, other + chunk.counts[query]!];
    const begin = query * columns;
    let at = begin;
    for (; at < begin + columns && (own < ownEnd || other < otherEnd); at++) {
      if (own < ownEnd && !(other < otherEnd && chunk.scores[other]! > best.scores[own]!)) {
        both.scores[at] = best.scores[own]!;
        both.rows[at] = best.rows[own++]!;
      } else {
        both.scores[at] = chunk.scores[other]!;
        both.rows[at] = rowOf[chunk.rows[other++]!]!;
      }
    }
    both.counts[query] = at - begin;
  }
  return both;
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
