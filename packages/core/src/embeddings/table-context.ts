/** The values that a tower passes to each of its tables. */

import { checkInteger } from '../checks/numbers.ts';
import { FUNCTION, NUMBER, optionsCheck, required } from '../checks/options.ts';
import type { OnWarning } from '../checks/warning.ts';
import { RUNTIME, type Runtime } from '../parallel/runtime.ts';

/** The number of ids, the width, the seed and the runtime of a table. */
export interface TableContext {
  vocabularySize: number;
  dimensions: number;
  seed: number;
  runtime: Runtime;
  /** Called with one line where a budget is above the full table's size; default `console.warn`. */
  onWarning?: OnWarning | undefined;
}

const check = optionsCheck<TableContext>('a table', {
  vocabularySize: required(NUMBER),
  dimensions: required(NUMBER),
  seed: required(NUMBER),
  runtime: required(RUNTIME),
  onWarning: FUNCTION,
});

/**
 * Check a context: the vocabulary size and the dimensions must be integers of at least 1.
 *
 * @throws {OptionError} when a number is out of range, or a value is missing or unknown
 */
export function checkContext(context: TableContext): TableContext {
  check(context);
  checkInteger('vocabularySize', context.vocabularySize, 1);
  checkInteger('dimensions', context.dimensions, 1);
  return context;
}
