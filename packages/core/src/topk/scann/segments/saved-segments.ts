/**
 * Saves and loads the segments of an index. The head is saved as an index without candidates, and each segment as a
 * part of its own, which is loaded into a memory of its own.
 */

import { SEGMENTS_MAX } from '../../../format/layout.ts';
import type { Part } from '../../../format/part.ts';
import type { Saved, SavedSection } from '../../../format/saved.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { type FileRows, fileRows } from '../file-rows.ts';
import type { LeafSet } from '../leaf-set.ts';
import { headBytes, type LeafParts, type LeafShape, Leaves, segmentPartBytes } from '../leaves.ts';
import { checkNumbers, loadLeafParts, sectionsOf } from '../saved-leaves.ts';
import { SegmentedLeaves } from './segmented-leaves.ts';

/** The numbers of a shape that differ from segment to segment. */
const OWN = ['groups', 'capacity', 'builtGroups', 'places'] as const;
/** Upper bound of these numbers: slots and places are int32. */
const NUMBER_MAX = 2 ** 31;

/** A segment to save. */
export interface SegmentToSave {
  firstLeaf: number;
  shape: LeafShape;
  sections: readonly SavedSection[];
}

/** The segments of an index as they are saved. */
export function segmentsToSave({ segments, firstLeaves }: LeafSet): SegmentToSave[] {
  return segments.map((segment, s) => ({
    firstLeaf: firstLeaves[s]!,
    shape: segment.shape,
    sections: sectionsOf(segment),
  }));
}

/** The name of the part of a segment. */
export function segmentPartName(segment: number): string {
  return `segment-${segment}`;
}

/** The saved segments, by the name of their part. */
export function saveSegments(segments: readonly SegmentToSave[]): Record<string, Saved> {
  const saved = segments.map(({ firstLeaf, shape, sections }, s): [string, Saved] => {
    const { groups, capacity, builtGroups, places } = shape;
    const settings = { firstLeaf, groups, capacity, builtGroups, places };
    return [segmentPartName(s), { kind: 'scann-segment', settings, sections }];
  });
  return Object.fromEntries(saved);
}

/**
 * Load the leaves of an index in segments.
 *
 * @param shape of the whole index
 * @param cacheBytes for rows that stay in a file: the cache of all segments on one thread
 * @throws {FormatError} when settings and sections do not fit together
 */
export function loadSegments(part: Part, shape: LeafShape, rows: number, cacheBytes: number): LeafSet {
  const count = part.settings.integer('segments', { min: 1, max: SEGMENTS_MAX });
  if (shape.leaves === 0) throw part.settings.error('segments', 'expected an index with leaves, got one without');
  const { parts: headParts } = loadLeafParts(part, headBytes(shape));
  if (headParts.upperLeaves)
    part.checkLater(checkUpperLeaves(part, shape, headParts.upperLeaves.integers(shape.upperGroups + 1)));
  const head = new Leaves(part.runtime, shape, headParts);
  const firstLeaves: number[] = [];
  const parts: Part[] = [];
  const segments = Array.from({ length: count }, (_, s) => {
    const own = part.part(segmentPartName(s));
    if (own.kind !== 'scann-segment') throw own.refusal(`kind: expected scann-segment, got ${own.kind}`);
    parts.push(own);
    const least = s === 0 ? 0 : firstLeaves[s - 1]! + 1;
    firstLeaves.push(own.settings.integer('firstLeaf', { min: least, max: s === 0 ? 0 : shape.leaves - 1 }));
    return loadSegment(own, head, rows, cacheBytes / count);
  });
  const set = new SegmentedLeaves(head, segments, [...firstLeaves, shape.leaves]);
  part.checkLater(checkOwners(parts, set));
  return set;
}

function loadSegment(part: Part, head: Leaves, rows: number, cacheBytes: number): Leaves {
  const from = part.settings;
  const numbers = Object.fromEntries(OWN.map((key) => [key, from.integer(key, { max: NUMBER_MAX })]));
  const shape: LeafShape = { ...head.shape, ...numbers };
  if (shape.groups > shape.capacity || shape.builtGroups > shape.groups) {
    throw from.error(
      'groups',
      `expected builtGroups ≤ groups ≤ capacity, got ${shape.builtGroups}, ${shape.groups} and ${shape.capacity}`,
    );
  }
  const { parts, rows: inFile } = loadLeafParts(part, segmentPartBytes(shape));
  part.finish();
  part.checkLater(checkNumbers(part, shape, parts, rows));
  return new Leaves(part.runtime, shape, parts, head, inFile && fileRows(inFile, cacheBytes));
}

function* checkUpperLeaves(part: Part, { leaves }: LeafShape, starts: Int32Array): Generator<void, void> {
  const isAscending = starts.every((leaf, i) => (i === 0 ? leaf === 0 : leaf >= starts[i - 1]!));
  if (!isAscending || starts.at(-1) !== leaves) {
    throw part.error('upperLeaves', `expected leaves of groups in order up to ${leaves}`);
  }
  yield;
}

/**
 * An index in one memory whose rows stay in a file: a head and one segment in the same memory, so that it is searched
 * like an index in segments, phase by phase.
 */
export function splitHead(whole: LeafParts, shape: LeafShape, runtime: Runtime, rows: FileRows): LeafSet {
  const headParts: LeafParts = {};
  const parts: LeafParts = {};
  for (const name of Object.keys(headBytes(shape))) if (name !== 'rowScales') headParts[name] = whole[name]!;
  for (const name of Object.keys(segmentPartBytes(shape))) if (name !== 'rows') parts[name] = whole[name]!;
  const head = new Leaves(runtime, shape, headParts);
  return new SegmentedLeaves(head, [new Leaves(runtime, { ...shape }, parts, head, rows)], [0, shape.leaves]);
}

/** Check that a segment has groups of its own leaves only. */
function* checkOwners(parts: readonly Part[], { segments, firstLeaves, shape }: LeafSet): Generator<void, void> {
  for (const [s, segment] of segments.entries()) {
    const groups = segment.integers('leafGroups');
    const heads = segment.integers('leafExtra');
    for (let leaf = 0; leaf < shape.leaves; leaf++) {
      const isOwn = leaf >= firstLeaves[s]! && leaf < firstLeaves[s + 1]!;
      if (!isOwn && (groups[leaf] !== groups[leaf + 1] || heads[leaf]! >= 0)) {
        throw parts[s]!.error('leafGroups', `expected no groups of leaf ${leaf}, which another segment has`);
      }
    }
    yield;
  }
}
