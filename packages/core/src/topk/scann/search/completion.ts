/**
 * Completes queries that found fewer than k results although there are more, because the searched leaves hold too few
 * of the candidates that pass the filter, exclusions and deletions. Such a query is searched again in all candidates
 * that may be returned, so a call returns k results whenever k exist.
 */
import type { Identifier } from '../../contract.ts';
import type { LiveIndex } from '../update/live-index.ts';
import type { Found } from './call-buffers.ts';
import type { DistinctQueries } from './distinct-queries.ts';
import type { GroupFilter } from './masks.ts';
import { listedPlan, type SearchPlan } from './plan.ts';

/** A second search of some queries of a call. */
export interface Completion {
  /** The queries that are searched again. */
  queries: readonly number[];
  plan: SearchPlan;
  distinct: DistinctQueries;
}

/**
 * The queries to search again; undefined where every query has all its results. A call that needs no completion only
 * reads the counts.
 */
export function completionOf<I extends Identifier>(
  live: LiveIndex<I>,
  plan: SearchPlan,
  filter: GroupFilter | undefined,
  distinct: DistinctQueries,
  { counts }: Found,
): Completion | undefined {
  if (plan.listed) return undefined;
  const queries: number[] = [];
  for (let query = 0; query < counts.length; query++) if (counts[query]! < plan.k) queries.push(query);
  if (queries.length === 0) return undefined;
  const { leaves } = live;
  const kept = filter ? filter.countPresent() : live.size;
  const short = queries.filter((query) => counts[query]! < kept - excludedRows(live, filter, plan.exclusions, query));
  if (short.length === 0) return undefined;
  return {
    queries: short,
    plan: { ...listedPlan(plan, leaves, filter), exclusions: exclusionsOf(plan.exclusions, short) },
    distinct: {
      count: short.length,
      write: (begin, end, to, stride) => {
        for (let i = begin; i < end; i++) {
          const at = (i - begin) * stride;
          distinct.write(short[i]!, short[i]! + 1, to.subarray(at, at + stride), stride);
        }
      },
      ofAll: (found) => found,
    },
  };
}

/** Replace the results of the queries that were searched again. */
export function complete(found: Found, { queries, plan: { k } }: Completion, again: Found): void {
  queries.forEach((query, i) => {
    found.counts[query] = again.counts[i]!;
    found.scores.set(again.scores.subarray(i * k, (i + 1) * k), query * k);
    found.rows.set(again.rows.subarray(i * k, (i + 1) * k), query * k);
  });
}

/** The number of candidates that pass the filter but are excluded by a query. */
export function excludedRows<I extends Identifier>(
  { leaves }: LiveIndex<I>,
  filter: GroupFilter | undefined,
  exclusions: SearchPlan['exclusions'],
  query: number,
): number {
  if (!exclusions) return 0;
  const rows = new Set<number>();
  for (const slot of exclusions.slots.subarray(exclusions.begin[query]!, exclusions.begin[query + 1]!)) {
    if (leaves.isPresent(slot) && (filter?.passes(slot) ?? true)) rows.add(leaves.rowOf(slot));
  }
  return rows.size;
}

/** The exclusions of some queries. */
function exclusionsOf(exclusions: SearchPlan['exclusions'], queries: readonly number[]): SearchPlan['exclusions'] {
  if (!exclusions) return undefined;
  const { slots, begin } = exclusions;
  const chosen = queries.map((query) => slots.subarray(begin[query]!, begin[query + 1]!));
  const starts = new Int32Array(queries.length + 1);
  chosen.forEach((list, i) => {
    starts[i + 1] = starts[i]! + list.length;
  });
  const all = new Int32Array(starts[queries.length]!);
  chosen.forEach((list, i) => {
    all.set(list, starts[i]!);
  });
  return { slots: all, begin: starts };
}
