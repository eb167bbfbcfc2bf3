/** Decides whether an index has leaves, or scores every candidate exactly. */
import type { ScannSettings } from '../options.ts';

/** Products below which scoring everything is about as fast as a tree, and exact: 20,000 candidates of 32 dimensions. */
const TREE_WORK_MIN = 20_000 * 32;
/** Candidates below which that holds at any width: a tree scores a few hundred of them exactly as well. */
const TREE_CANDIDATES_MIN = 4_000;
/** Codes of 16 words per block need as many rows. */
const TREE_ROWS_MIN = 16;

/** Whether `rows` candidates of `dimensions` get leaves: where scoring all of them is more work, unless the settings decide. */
export function needsTree(rows: number, dimensions: number, { tree }: ScannSettings): boolean {
  if (rows < TREE_ROWS_MIN || tree === 'never') return false;
  return tree === 'always' || (rows >= TREE_CANDIDATES_MIN && rows * dimensions >= TREE_WORK_MIN);
}
