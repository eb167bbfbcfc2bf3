/**
 * The option `segments` of `ScaNN` and `BruteForce`. Its value brings the code of indexes in segments, so that a bundler leaves the code
 * out of a program that does not call `segmentsOf`.
 */
import { checkInteger } from '../../../checks/numbers.ts';
import type { Layout } from '../../brute-force/layout.ts';
import { segmentedLayout } from '../../brute-force/segments/segmented-layout.ts';
import type { LeafSet } from '../leaf-set.ts';
import type { Leaves } from '../leaves.ts';
import { SEGMENTED_CODE } from '../streamed/segmented-code.ts';
import type { SegmentedCode } from '../update/live-index.ts';
import { cutLeaves } from './cut-leaves.ts';

/** The size of the segments of an index, and the code that cuts an index into segments and searches them. */
export interface Segments extends SegmentedCode {
  /** The most bytes of a segment; a leaf of `ScaNN` that is larger is a segment by itself. */
  readonly segmentBytes: number;
  /** Copy the leaves of an index to segments. @internal */
  readonly cut: (whole: Leaves) => LeafSet;
  /** The layout of an exact index. @internal */
  readonly exact: Layout;
}

/**
 * Segments of at most `segmentBytes`, for `new ScaNN({ segments: segmentsOf(2 ** 31) })` and `BruteForce`. In `ScaNN` a leaf
 * that is larger is a segment by itself. There are at most 64 segments, so they may be larger; `stats()` has a note of that.
 *
 * @throws {OptionError} when `segmentBytes` is not a positive integer
 */
export function segmentsOf(segmentBytes: number): Segments {
  checkInteger('segmentBytes', segmentBytes, 1);
  return {
    segmentBytes,
    cut: (whole) => cutLeaves(whole, segmentBytes),
    ...SEGMENTED_CODE,
    exact: segmentedLayout(segmentBytes),
  };
}
