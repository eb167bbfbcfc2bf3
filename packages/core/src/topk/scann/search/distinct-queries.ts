/**
 * Prepares the queries of a call: checks them, scales them for cosine, and finds equal queries, which are searched only
 * once.
 */
import { checkFiniteRows } from '../../../vectors/check-finite.ts';
import { distinctRows } from '../../../vectors/distinct-rows.ts';
import type { VectorSource } from '../../vector-source.ts';
import type { LeafSet } from '../leaf-set.ts';
import type { Found, WriteQueries } from './call-buffers.ts';
import type { SearchPlan } from './plan.ts';
import type { ScannSearch } from './search.ts';

/**
 * The `count` distinct queries: `write` copies some of them, `ofAll` turns their results into those of all queries of
 * the call.
 */
export interface DistinctQueries {
  count: number;
  write: WriteQueries;
  ofAll: (found: Found) => Found;
}

/** The distinct queries of a source. */
export function distinctQueries(
  search: ScannSearch,
  leaves: LeafSet,
  source: VectorSource,
  isCosine: boolean,
  plan: SearchPlan,
): DistinctQueries {
  if (plan.k === 0) return { count: source.rows, write: () => undefined, ofAll: (found) => found };
  const d = leaves.shape.dimensions;
  // Equal queries with different exclusions have different results.
  if (source.rows <= 1 || plan.exclusions) {
    const write: WriteQueries = (begin, end, to, stride) => {
      if (stride === d) source.copy(begin, end, to);
      else if (end - begin === 1) copyOne(source, begin, d, to);
      else spread(source, begin, end, d, to, stride);
      check(search, to, (row) => begin + row, stride);
      if (isCosine) normalizeRows(to, stride);
    };
    return { count: source.rows, write, ofAll: (found) => found };
  }
  const all = new Float32Array(source.rows * d);
  source.copy(0, source.rows, all);
  const { first, groupOf } = distinctRows(all, d);
  const areDistinct = first.length === source.rows;
  const write: WriteQueries = (begin, end, to, stride) => {
    if (areDistinct && stride === d) to.set(all.subarray(begin * d, end * d));
    else for (let i = begin; i < end; i++) placeRow(all, first[i]! * d, d, to, (i - begin) * stride, stride);
    check(search, to, (row) => first[begin + row]!, stride);
    if (isCosine) normalizeRows(to, stride);
  };
  return {
    count: first.length,
    write,
    ofAll: (found) => (areDistinct ? found : repeat(found, groupOf, plan.k)),
  };
}

function check(search: ScannSearch, rows: Float32Array, rowOf: (row: number) => number, stride: number): void {
  const written = { offset: rows.byteOffset, rows: rows.length / stride, dimensions: stride };
  checkFiniteRows('queries', search.runtime, written, rowOf);
}

/** Copy a row of d numbers, followed by zeros. */
function copyOne(source: VectorSource, row: number, d: number, to: Float32Array): void {
  source.copy(row, row + 1, to);
  for (let t = d; t < to.length; t++) to[t] = 0;
}

/** Copy a row of d numbers and fill with zeros up to the stride. A loop is faster than views of single rows. */
function placeRow(from: Float32Array, at: number, d: number, to: Float32Array, begin: number, stride: number): void {
  for (let t = 0; t < d; t++) to[begin + t] = from[at + t]!;
  for (let t = d; t < stride; t++) to[begin + t] = 0;
}

/** Copy rows of d numbers to rows of `stride` numbers, filled with zeros. */
function spread(source: VectorSource, begin: number, end: number, d: number, to: Float32Array, stride: number): void {
  const packed = new Float32Array((end - begin) * d);
  source.copy(begin, end, packed);
  for (let i = 0; i < end - begin; i++) {
    placeRow(packed, i * d, d, to, i * stride, stride);
  }
}

function normalizeRows(rows: Float32Array, stride: number): void {
  for (let at = 0; at < rows.length; at += stride) {
    let square = 0;
    for (let t = at; t < at + stride; t++) square += rows[t]! ** 2;
    if (square === 0) continue;
    const inverse = 1 / Math.sqrt(square);
    for (let t = at; t < at + stride; t++) rows[t]! *= inverse;
  }
}

/** The results of all queries, copied from those of the distinct ones. */
function repeat(found: Found, groupOf: Int32Array, k: number): Found {
  const counts = new Int32Array(groupOf.length);
  const scores = new Float32Array(groupOf.length * k);
  const rows = new Int32Array(groupOf.length * k);
  for (let query = 0; query < groupOf.length; query++) {
    const from = groupOf[query]! * k;
    counts[query] = found.counts[groupOf[query]!]!;
    scores.set(found.scores.subarray(from, from + k), query * k);
    rows.set(found.rows.subarray(from, from + k), query * k);
  }
  return { counts, scores, rows };
}
