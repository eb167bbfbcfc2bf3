/** Cuts an index in one memory into a head and segments, each in a memory of its own. */
import { SEGMENTS_MAX } from '../../../format/layout.ts';
import { Runtime } from '../../../parallel/runtime.ts';
import type { LeafSet } from '../leaf-set.ts';
import {
  GROUP_SLOTS,
  headBytes,
  type LeafParts,
  type LeafShape,
  Leaves,
  partBytes,
  rowBytes,
  segmentPartBytes,
} from '../leaves.ts';
import { SegmentedLeaves } from './segmented-leaves.ts';

/** The size of segments is multiplied by this factor until there are at most SEGMENTS_MAX. */
const LARGER = 1.25;

/**
 * Cut an index into segments of at most `segmentBytes`, or of one leaf that is larger. If this gives more than 64
 * segments, they are made larger. The index itself is not changed.
 *
 * @throws {MemoryError} when the system refuses the memory
 */
export function cutLeaves(whole: Leaves, segmentBytes: number): LeafSet {
  const { runtime, shape } = whole;
  let firstLeaves = cutsOf(whole, segmentBytes);
  for (let bytes = segmentBytes; firstLeaves.length - 1 > SEGMENTS_MAX; firstLeaves = cutsOf(whole, bytes)) {
    bytes *= LARGER;
  }
  const made: Leaves[] = [];
  try {
    const head = new Leaves(runtime, { ...shape }, copyHead(whole));
    made.push(head);
    const segments = firstLeaves.slice(0, -1).map((first, s) => {
      const segment = segmentOf(whole, head, first, firstLeaves[s + 1]!, new Runtime({}, runtime));
      made.push(segment);
      return segment;
    });
    return new SegmentedLeaves(head, segments, firstLeaves);
  } catch (error) {
    for (const leaves of made) {
      leaves.free();
      if (leaves.runtime !== runtime) leaves.runtime.pool.leave();
    }
    throw error;
  }
}

/** Copies of the parts of the head. */
export function copyHead({ runtime, shape, parts }: Leaves): LeafParts {
  return Object.fromEntries(
    Object.entries(headBytes(shape)).map(([name, bytes]) => {
      const block = runtime.heap.allocate(bytes);
      block.bytes().set(parts[name]!.bytes().subarray(0, bytes));
      return [name, block];
    }),
  );
}

/** The first leaf of each segment, followed by the number of leaves. */
function cutsOf(whole: Leaves, segmentBytes: number): number[] {
  const { shape } = whole;
  const groupBytes = bytesOfGroup(shape);
  const cuts = [0];
  let held = 0;
  for (let leaf = 0; leaf < shape.leaves; leaf++) {
    const bytes = groupBytes * [...whole.groupsOf(leaf)].length;
    if (held > 0 && held + bytes > segmentBytes) {
      cuts.push(leaf);
      held = 0;
    }
    held += bytes;
  }
  return [...cuts, shape.leaves];
}

/**
 * The bytes that one more group takes in all parts. Where rows have places, every slot is counted with a place of its
 * own, which is an upper bound.
 */
export function bytesOfGroup(shape: LeafShape): number {
  const bytes = (capacity: number): number =>
    Object.values(partBytes({ ...shape, capacity })).reduce((sum, size) => sum + size, 0);
  return bytes(1) - bytes(0) + (shape.places > 0 ? GROUP_SLOTS * rowBytes(shape) : 0);
}

/** Copy the leaves [first, end) to the memory of a runtime. */
function segmentOf(whole: Leaves, head: Leaves, first: number, end: number, runtime: Runtime): Leaves {
  const bounds = whole.integers('leafGroups');
  const built = Array.from({ length: bounds[end]! - bounds[first]! }, (_, i) => bounds[first]! + i);
  const chains: number[] = [];
  for (let leaf = first; leaf < end; leaf++)
    chains.push(...[...whole.groupsOf(leaf)].slice(bounds[leaf + 1]! - bounds[leaf]!));
  // A chain goes from newer groups to older ones, whose numbers are smaller.
  const groups = [...built, ...chains.sort((a, b) => a - b)];
  const places = whole.shape.places > 0 ? placesOf(whole, groups) : undefined;
  const size = { groups: groups.length, capacity: groups.length, builtGroups: built.length };
  const shape: LeafShape = { ...whole.shape, ...size, places: places?.size ?? 0 };
  const parts: LeafParts = {};
  for (const [name, bytes] of Object.entries(segmentPartBytes(shape))) parts[name] = runtime.heap.allocate(bytes);
  if (whole.parts.rowScales) parts.rowScales!.bytes().set(whole.parts.rowScales.bytes());
  copyGroups(whole, parts, groups, places);
  copyLeafTables(whole, parts, shape, first, end, groups);
  return new Leaves(runtime, shape, parts, head);
}

/** The new place of each place that the slots of groups use, in the order of the slots. */
function placesOf(whole: Leaves, groups: readonly number[]): Map<number, number> {
  const [rowOf, placeOf] = [whole.integers('rowOf'), whole.integers('placeOf')];
  const places = new Map<number, number>();
  for (const group of groups) {
    for (let slot = group * GROUP_SLOTS; slot < (group + 1) * GROUP_SLOTS; slot++) {
      const place = placeOf[slot]!;
      if (rowOf[slot]! >= 0 && !places.has(place)) places.set(place, places.size);
    }
  }
  return places;
}

/** Copy codes, row numbers, bits and rows of groups. */
function copyGroups(
  whole: Leaves,
  parts: LeafParts,
  groups: readonly number[],
  places: Map<number, number> | undefined,
): void {
  const { shape } = whole;
  const widths: Record<string, number> = {
    codes: 16 * (shape.productBlocks + shape.correctionBlocks),
    rowOf: 4 * GROUP_SLOTS,
    valid: 4,
    ...(places ? { placeOf: 4 * GROUP_SLOTS } : { rows: GROUP_SLOTS * rowBytes(shape) }),
  };
  for (const [name, width] of Object.entries(widths)) {
    const [from, to] = [whole.parts[name]!.bytes(), parts[name]!.bytes()];
    groups.forEach((group, i) => {
      to.set(from.subarray(group * width, (group + 1) * width), i * width);
    });
  }
  if (!places) return;
  const [rowOf, placeOf] = [parts.rowOf!, parts.placeOf!].map((block) => block.integers(groups.length * GROUP_SLOTS));
  for (let slot = 0; slot < rowOf!.length; slot++)
    placeOf![slot] = rowOf![slot]! < 0 ? 0 : places.get(placeOf![slot]!)!;
  const width = rowBytes(shape);
  const [from, to] = [whole.parts.rows!.bytes(), parts.rows!.bytes()];
  for (const [old, place] of places) to.set(from.subarray(old * width, (old + 1) * width), place * width);
}

/** Write the numbers of each leaf: its groups, its chain and its bounds. */
function copyLeafTables(
  whole: Leaves,
  parts: LeafParts,
  { leaves, groups: count }: LeafShape,
  first: number,
  end: number,
  groups: readonly number[],
): void {
  const newNumber = new Map(groups.map((group, i) => [group, i]));
  const chained = (group: number): number => (group < 0 ? -1 : newNumber.get(group)!);
  const own = (from: Int32Array, l: number): number => from[Math.min(Math.max(l, first), end)]! - from[first]!;
  const bounds = whole.integers('leafGroups');
  parts.leafGroups!.integers(leaves + 1).forEach((_, l, to) => {
    to[l] = own(bounds, l);
  });
  const extra = whole.integers('leafExtra');
  parts.leafExtra!.integers(leaves).forEach((_, l, to) => {
    to[l] = l >= first && l < end ? chained(extra[l]!) : -1;
  });
  const next = whole.integers('nextGroup');
  parts.nextGroup!.integers(count).forEach((_, i, to) => {
    to[i] = chained(next[groups[i]!]!);
  });
  if (!parts.leafQuads) return;
  const quads = whole.integers('leafQuads');
  parts.leafQuads.integers(leaves + 1).forEach((_, l, to) => {
    to[l] = own(quads, l);
  });
  parts.bounds!.bytes().set(whole.parts.bounds!.bytes().subarray(32 * quads[first]!, 32 * quads[end]!));
}
