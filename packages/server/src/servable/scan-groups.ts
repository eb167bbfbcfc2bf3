/**
 * Groups the queries of a batch that share a scan: those that differ only in their features or embedding and in what
 * they exclude. A query with rules is scanned separately.
 */
import type { Query } from './contract.ts';

/** Positions of the queries of each scan. */
export function scanGroups(queries: readonly Query[]): Iterable<readonly number[]> {
  const first = queries[0]!;
  // In almost every batch all queries have the same settings. This check saves making a key for each query.
  if (queries.every((query) => areAlike(query, first))) return [queries.map((_, at) => at)];
  const groups = new Map<string, number[]>();
  queries.forEach(({ similarTo, k, leavesToSearch, reorder, filter, include, rules }, at) => {
    const rest = filter || include || rules ? `${JSON.stringify(filter)}|${include || rules ? at : ''}` : '';
    const key = `${similarTo !== undefined}|${k}|${leavesToSearch}|${reorder}|${rest}`;
    const group = groups.get(key);
    if (group) group.push(at);
    else groups.set(key, [at]);
  });
  return groups.values();
}

/** Whether two queries have the same settings and neither a filter nor a list nor rules. */
function areAlike(a: Query, b: Query): boolean {
  if (a.filter || a.include || a.rules || b.filter || b.include || b.rules) return false;
  if ((a.similarTo === undefined) !== (b.similarTo === undefined)) return false;
  return a.k === b.k && a.leavesToSearch === b.leavesToSearch && a.reorder === b.reorder;
}
