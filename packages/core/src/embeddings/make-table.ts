/** The switch from a method's name to its table: the one option by which a tower takes any of them. */

import { shown } from '../checks/numbers.ts';
import { OptionError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { EmbeddingTable } from './contract.ts';
import { FullTable } from './full.ts';

/** Which table, and what it may cost. */
export type EmbeddingOptions = { method: 'full' };

/** What every table is told by its tower. */
export interface TableContext {
  vocabularySize: number;
  dimensions: number;
  seed: number;
  runtime: Runtime;
}

/**
 * A new table.
 *
 * @throws {OptionError} when the method is unknown
 */
export function makeTable(options: EmbeddingOptions, context: TableContext): EmbeddingTable {
  switch (options.method) {
    case 'full':
      return FullTable.create(context);
    default:
      throw new OptionError(`embedding.method: expected full, got ${shown((options as { method: unknown }).method)}`);
  }
}
