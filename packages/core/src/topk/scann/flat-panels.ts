/** A second copy of the rows of a flat index, packed for the kernel of the exact index: panels of eight rows. */
import { CHUNK_ROWS, PanelStore, SPARE_BYTES } from '../brute-force/panel-store.ts';
import type { LeafSet } from './leaf-set.ts';
import { rowReader } from './update/kept-rows.ts';

/** The rows of a flat index as panels, including deleted rows; undefined where the memory cannot hold them. */
export function flatPanels(leaves: LeafSet, rows: number): PanelStore | undefined {
  const d = leaves.shape.dimensions;
  // The rows, and a chunk of them that is not packed yet.
  if (!leaves.runtime.heap.canHold([SPARE_BYTES + 4 * (rows + CHUNK_ROWS) * d])) return undefined;
  const store = new PanelStore(leaves.runtime);
  try {
    const copy = (begin: number, end: number, to: Float32Array): void => {
      const read = rowReader(leaves);
      for (let row = begin; row < end; row++) read(row, to.subarray((row - begin) * d, (row - begin + 1) * d));
    };
    return store.append({ rows, dimensions: d, copy }).finish();
  } catch (error) {
    store.free();
    throw error;
  }
}
