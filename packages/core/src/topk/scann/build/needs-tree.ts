/** Decides whether an index has leaves, or scores every candidate exactly. */
import type { ScannSettings } from '../settings.ts';

/**
 * With fewer numbers than 20,000 candidates of 32 dimensions have, scoring every candidate is about as fast as a tree,
 * and exact.
 */
const TREE_WORK_MIN = 20_000 * 32;
/** With fewer candidates that is true for any width, because a tree also scores some hundreds of candidates exactly. */
const TREE_CANDIDATES_MIN = 4_000;
/** A codebook of 16 codewords per block needs at least 16 rows. */
const TREE_ROWS_MIN = 16;

/**
 * True when an index of this size gets leaves: as `tree` says, or for 'auto' where scoring every candidate is more
 * work.
 */
export function needsTree(rows: number, dimensions: number, { tree }: ScannSettings): boolean {
  if (rows < TREE_ROWS_MIN || tree === 'never') return false;
  return tree === 'always' || (rows >= TREE_CANDIDATES_MIN && rows * dimensions >= TREE_WORK_MIN);
}
