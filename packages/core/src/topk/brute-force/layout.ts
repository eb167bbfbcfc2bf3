/**
 * The memories of an exact index: `oneMemory` keeps rows, coarse codes and scratch in the memory of the index's runtime,
 * the layout of `segmentsOf` (segments/) in several. An index uses both by these interfaces alone, so that a bundler leaves
 * the code of segments out of a program that does not call `segmentsOf`.
 */
import type { Runtime } from '../../parallel/runtime.ts';
import type { RowSink } from '../candidate-builder.ts';
import type { QueryMasks } from '../row-mask.ts';
import type { VectorSource } from '../vector-source.ts';
import { CoarseCodes } from './coarse-codes.ts';
import { type Best, PanelSearch } from './panel-search.ts';
import { PanelStore } from './panel-store.ts';

/** Rows of candidates, packed for the scan. */
export interface RowStore extends RowSink {
  /** Width of a row; 0 while there is none. */
  readonly dimensions: number;
  /** Rows that can be held before anything is copied or allocated. */
  readonly capacity: number;
  readonly sizeBytes: number;
  /** End the appending of rows. */
  finish(): this;
  /** Make room for `rows` rows in all, in short steps between which the store can be searched. */
  growth(rows: number): Generator<void, void>;
  /** Put a row of `values`, from `begin` on, at row `row` or behind the last one, for which there is room. */
  put(row: number, values: Float32Array, begin: number): void;
  /** A function that copies a row; it is valid until rows are added. */
  reader(): (row: number, to: Float32Array) => void;
  free(): void;
}

/** Coarse codes of the rows of a store. */
export interface RowCodes {
  readonly sizeBytes: number;
  /** Code rows that were added or replaced. */
  update(rows: readonly number[]): void;
  free(): void;
}

/** The exact search over a store of the same layout; the arguments are those of `PanelSearch`. */
export interface RowSearch {
  run(store: RowStore, queries: VectorSource, k: number, mask: QueryMasks | undefined, codes?: RowCodes): Best;
  runAsync(
    store: RowStore,
    queries: VectorSource,
    k: number,
    mask: QueryMasks | undefined,
    codes?: RowCodes,
  ): Promise<Best>;
  free(): void;
}

/** Makes the parts of an exact index. */
export interface Layout {
  store(runtime: Runtime): RowStore;
  /** Undefined where the memory cannot hold them. */
  codes(store: RowStore): RowCodes | undefined;
  search(runtime: Runtime): RowSearch;
}

/** Everything is in the memory of the runtime. */
export const oneMemory: Layout = {
  store: (runtime) => new PanelStore(runtime),
  codes: (store) => (CoarseCodes.fits(store as PanelStore) ? new CoarseCodes(store as PanelStore) : undefined),
  search: (runtime) => new PanelSearch(runtime),
};
