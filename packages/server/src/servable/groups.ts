/** Which asks of a batch share a scan: those that differ only in their query and in what they exclude. */
import type { Ask } from './contract.ts';

/** Positions of the asks of each scan. */
export function groupsOf(asks: readonly Ask[]): Iterable<readonly number[]> {
  const first = asks[0]!;
  // Almost every batch is of one kind: no key is made for each of its asks.
  if (asks.every((ask) => areAlike(ask, first))) return [asks.map((_, at) => at)];
  const groups = new Map<string, number[]>();
  asks.forEach(({ k, leavesToSearch, reorder, filter, include }, at) => {
    const rest = filter || include ? `${JSON.stringify(filter)}|${include ? at : ''}` : '';
    const key = `${k}|${leavesToSearch}|${reorder}|${rest}`;
    const group = groups.get(key);
    if (group) group.push(at);
    else groups.set(key, [at]);
  });
  return groups.values();
}

/** Whether two asks have the same settings and neither a filter nor a list. */
function areAlike(a: Ask, b: Ask): boolean {
  if (a.filter || a.include || b.filter || b.include) return false;
  return a.k === b.k && a.leavesToSearch === b.leavesToSearch && a.reorder === b.reorder;
}
