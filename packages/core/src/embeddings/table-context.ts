/** What every table is told by its tower. */
import type { OnWarning } from '../checks/warning.ts';
import type { Runtime } from '../parallel/runtime.ts';

/** The table's place: how many ids, how wide, from which seed, in which memory. */
export interface TableContext {
  vocabularySize: number;
  dimensions: number;
  seed: number;
  runtime: Runtime;
  /** Called with one line where a budget is above the full table's size; default `console.warn`. */
  onWarning?: OnWarning | undefined;
}
