/**
 * Compositional embeddings (hashed QR): a vector is the concatenation of one row of each of c codebooks.
 *
 *   vector(i) = [ row_1[h_1(i)] | … | row_c[h_c(i)] ],   rows of d/c floats
 *
 * Source: Shi et al., KDD 2020, with hashes in place of remainders; "CE concat" in the CCE paper. All codebooks have
 * the same number of rows.
 */
import { NUMBER, optionsCheck, STRING } from '../checks/options.ts';
import { affordRows, BUDGET, type Budget, sliceWidth, type WithMethod } from './budget.ts';
import { HASH_WORDS_BYTES } from './hash-family.ts';
import { HashedTable } from './hashed.ts';
import type { TableContext } from './table-context.ts';

/** Options of a compositional table. */
export type CompositionalOptions = Budget & {
  /** Codebooks; a divisor of the dimensions; default 4, the CCE paper's. */
  columns?: number;
};

const checkOptions = optionsCheck<WithMethod<CompositionalOptions>>('embedding (compositional)', {
  ...BUDGET,
  method: STRING,
  columns: NUMBER,
});

/** A new table. @throws {OptionError} when the budget is below one row per codebook, or columns do not divide d */
export function compositional(options: CompositionalOptions, context: TableContext): HashedTable {
  checkOptions(options);
  const { vocabularySize, dimensions } = context;
  const columns = options.columns ?? 4;
  sliceWidth(dimensions, columns);
  const cost = { parameters: (rows: number) => rows * dimensions, otherBytes: () => columns * HASH_WORDS_BYTES };
  const rows = affordRows('compositional', options, cost, context);
  const shape = { method: 'compositional', vocabularySize, dimensions, columns, sums: 1 };
  const ranges = Array.from({ length: columns }, (_, column) => ({ base: column * rows, rows }));
  return HashedTable.draw(shape, columns * rows, ranges, context);
}
