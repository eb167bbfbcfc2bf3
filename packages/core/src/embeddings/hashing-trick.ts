/**
 * The hashing trick: the vector of an id is the row whose number is a hash of the id. Ids with equal hashes share a
 * row.
 *
 *   vector(i) = row[h(i)]
 *
 * Source: Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009. The whole budget is
 * spent on rows.
 */
import { optionsCheck, STRING } from '../checks/options.ts';
import { affordRows, BUDGET, type Budget, type WithMethod } from './budget.ts';
import { HASH_WORDS_BYTES } from './hash-family.ts';
import { HashedTable } from './hashed.ts';
import type { TableContext } from './table-context.ts';

/** Options of a hashing-trick table. */
export type HashingTrickOptions = Budget;

const checkOptions = optionsCheck<WithMethod<HashingTrickOptions>>('embedding (hashing-trick)', {
  ...BUDGET,
  method: STRING,
});

/** A new table. @throws {OptionError} when the budget is below one row */
export function hashingTrick(options: HashingTrickOptions, context: TableContext): HashedTable {
  checkOptions(options);
  const { vocabularySize, dimensions } = context;
  const cost = { parameters: (rows: number) => rows * dimensions, otherBytes: () => HASH_WORDS_BYTES };
  const rows = affordRows('hashing-trick', options, cost, context);
  const shape = { method: 'hashing-trick', vocabularySize, dimensions, columns: 1, sums: 1 };
  return HashedTable.draw(shape, rows, [{ base: 0, rows }], context);
}
