/** The layout of an exact index in segments. */
import type { Layout } from '../layout.ts';
import { SegmentedCodes } from './segmented-codes.ts';
import { SegmentedRowSearch } from './segmented-search.ts';
import { SegmentedStore } from './segmented-store.ts';

/** Segments of at most `segmentBytes` of rows; the last of 64 has all that are left. */
export function segmentedLayout(segmentBytes: number): Layout {
  return {
    store: (runtime) => new SegmentedStore(runtime, segmentBytes),
    codes: (store) => SegmentedCodes.ofStore(store as SegmentedStore),
    search: () => new SegmentedRowSearch(),
  };
}
