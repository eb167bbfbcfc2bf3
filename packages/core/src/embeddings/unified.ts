/**
 * Unified embedding (feature multiplexing): all chunks of a vector are rows of the same table, each selected by its own
 * hash.
 *
 *   vector(i) = [ row[h_1(i)] | … | row[h_c(i)] ],   rows of d/c floats, one table for all chunks
 *
 * Source: Coleman et al., "Unified Embedding", NeurIPS 2023; TFRS's `UnifiedEmbedding` with one table. Only the chunks
 * of one feature share a table, not the features of a tower. The whole budget is for rows.
 */
import { NUMBER, optionsCheck, STRING } from '../checks/options.ts';
import { affordRows, BUDGET, type Budget, sliceWidth, type WithMethod } from './budget.ts';
import { HASH_WORDS_BYTES } from './hash-family.ts';
import { HashedTable } from './hashed.ts';
import type { TableContext } from './table-context.ts';

/** Options of a unified table. */
export type UnifiedOptions = Budget & {
  /** Chunks (TFRS's `num_chunks`); a divisor of the dimensions; default 4. */
  columns?: number;
};

const checkOptions = optionsCheck<WithMethod<UnifiedOptions>>('embedding (unified)', {
  ...BUDGET,
  method: STRING,
  columns: NUMBER,
});

/** A new table. @throws {OptionError} when the budget is below one row, or columns do not divide d */
export function unified(options: UnifiedOptions, context: TableContext): HashedTable {
  checkOptions(options);
  const { vocabularySize, dimensions } = context;
  const columns = options.columns ?? 4;
  const width = sliceWidth(dimensions, columns);
  const cost = { parameters: (rows: number) => rows * width, otherBytes: () => columns * HASH_WORDS_BYTES };
  const rows = affordRows('unified', options, cost, context);
  const shape = { method: 'unified', vocabularySize, dimensions, columns, sums: 1 };
  const ranges = Array.from({ length: columns }, () => ({ base: 0, rows }));
  return HashedTable.draw(shape, rows, ranges, context);
}
