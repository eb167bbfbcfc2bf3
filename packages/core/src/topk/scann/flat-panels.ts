/** A second copy of the rows of a flat index, packed for the kernel of the exact index: panels of eight rows. */
import { PanelStore } from '../brute-force/panel-store.ts';
import type { LeafSet } from './leaf-set.ts';
import { rowReader } from './update/kept-rows.ts';

/** The rows of a flat index as panels, including deleted rows. */
export function flatPanels(leaves: LeafSet, rows: number): PanelStore {
  const store = new PanelStore(leaves.runtime);
  const d = leaves.shape.dimensions;
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
