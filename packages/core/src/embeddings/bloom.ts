/**
 * Bloom embeddings: the vector of an id is the sum of several rows of one table. Two ids have the same vector only when all
 * their hashes are equal.
 *
 *   vector(i) = Σ_s row[h_s(i)]
 *
 * Source: Serrà and Karatzoglou, "Getting deep recommenders fit", RecSys 2017; spaCy's HashEmbed. The whole budget is
 * spent on rows.
 */

import { checkInteger } from '../checks/numbers.ts';
import { NUMBER, optionsCheck, STRING } from '../checks/options.ts';
import { affordRows, BUDGET, type Budget, type WithMethod } from './budget.ts';
import { HASH_WORDS_BYTES } from './hash-family.ts';
import { HashedTable } from './hashed.ts';
import type { TableContext } from './table-context.ts';

/** Options of a Bloom table. */
export type BloomOptions = Budget & {
  /** Rows summed; default 2. */
  sums?: number;
};

const checkOptions = optionsCheck<WithMethod<BloomOptions>>('embedding (bloom)', {
  ...BUDGET,
  method: STRING,
  sums: NUMBER,
});

/** A new table. @throws {OptionError} when the budget is below one row or `sums` is out of range */
export function bloom(options: BloomOptions, context: TableContext): HashedTable {
  checkOptions(options);
  const { vocabularySize, dimensions } = context;
  const sums = checkInteger('sums', options.sums ?? 2, 1, 16);
  const cost = { parameters: (rows: number) => rows * dimensions, otherBytes: () => sums * HASH_WORDS_BYTES };
  const rows = affordRows('bloom', options, cost, context);
  const shape = { method: 'bloom', vocabularySize, dimensions, columns: 1, sums };
  const ranges = Array.from({ length: sums }, () => ({ base: 0, rows }));
  return HashedTable.draw(shape, rows, ranges, context);
}
