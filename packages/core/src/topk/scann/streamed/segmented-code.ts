/** The code of an index in segments, which a bundler leaves out of a program without segments. */
import { segmentSearchOf } from '../segments/segmented-search.ts';
import type { SegmentedCode } from '../update/live-index.ts';
import { rebuildSegments } from './rebuild-segments.ts';

/** The search over segments, and their rebuild. */
export const SEGMENTED_CODE: SegmentedCode = { search: segmentSearchOf, rebuild: rebuildSegments };
