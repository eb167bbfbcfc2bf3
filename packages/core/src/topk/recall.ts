/** Recall: the share of the exact results that an approximate search found. */

import { checkArgument } from '../checks/arguments.ts';
import { objectWith } from '../checks/options.ts';
import type { Identifier } from './contract.ts';
import type { TopKResult } from './result.ts';

/** The result rows of several queries. */
export type RowsOfQueries = Pick<TopKResult<Identifier>, 'queries' | 'rowsOf'>;

/** Recall over all queries: Σ |found ∩ exact| / Σ |exact|, between 0 and 1; 1 where there are no exact results. */
export function recallOf(found: RowsOfQueries, exact: RowsOfQueries): number {
  for (const [name, results] of Object.entries({ found, exact })) {
    checkArgument(name, results, objectWith('results, which have `rowsOf`', 'rowsOf', 'queries'));
  }
  let shared = 0;
  let wanted = 0;
  for (let query = 0; query < exact.queries; query++) {
    const rows = exact.rowsOf(query);
    wanted += rows.length;
    shared += sharedRows(found.rowsOf(query), rows);
  }
  return wanted === 0 ? 1 : shared / wanted;
}

/** The number of candidate rows that are in both lists. */
export function sharedRows(found: Int32Array, exact: Int32Array): number {
  const rows = new Set(exact);
  return found.reduce((shared, row) => shared + Number(rows.has(row)), 0);
}
