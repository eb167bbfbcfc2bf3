/** What every table is told by its tower. */
import type { Runtime } from '../parallel/runtime.ts';

/** The table's place: how many ids, how wide, from which seed, in which memory. */
export interface TableContext {
  vocabularySize: number;
  dimensions: number;
  seed: number;
  runtime: Runtime;
}
