/** The parts of the leaves of one memory as sections: they are written as they are in memory, read back and checked. */
import type { Part } from '../../format/part.ts';
import type { FileSection } from '../../format/reader.ts';
import type { SavedSection } from '../../format/saved.ts';
import type { FileRows } from './file-rows.ts';
import { GROUP_SLOTS, type LeafParts, type LeafShape, type Leaves, partBytes } from './leaves.ts';

/** Numbers checked in a step, some tenths of a millisecond. */
const CHECKED_AT_ONCE = 1 << 17;

/** The parts as sections; rows that stay in a file are copied from there. */
export function sectionsOf(leaves: Leaves): SavedSection[] {
  return sectionsOfParts(leaves.shape, leaves.bytes(), leaves.fileRows);
}

/** The sections of a head and a segment that are in one memory, as those of an index in one memory. */
export function sectionsOfSplit(head: Leaves, segment: Leaves): SavedSection[] {
  return sectionsOfParts(segment.shape, { ...head.bytes(), ...segment.bytes() }, segment.fileRows);
}

function sectionsOfParts(
  shape: LeafShape,
  parts: Record<string, Uint8Array>,
  fileRows: FileRows | undefined,
): SavedSection[] {
  const sections = Object.entries(partBytes(shape)).map(([name, sizeBytes]): SavedSection | undefined => {
    if (parts[name]) return { name, bytes: parts[name] };
    if (name !== 'rows' || !fileRows) return undefined;
    return { name, kind: 'memory', bytes: [], laterBytes: sizeBytes, read: () => fileRows.pieces() };
  });
  return sections.filter((section) => section !== undefined);
}

/** Sections that were taken: parts, and the rows where they stay in the file. */
export interface LoadedParts {
  parts: LeafParts;
  rows: FileSection | undefined;
}

/** Take the sections of parts with these sizes. @throws {FormatError} when one is missing or has another size */
export function loadLeafParts(part: Part, bytesOf: Record<string, number>): LoadedParts {
  const rows = bytesOf.rows === undefined ? undefined : part.inFile('rows', bytesOf.rows);
  const read = Object.entries(bytesOf).filter(([name]) => name !== 'rows' || !rows);
  return { parts: Object.fromEntries(read.map(([name, bytes]) => [name, part.memory(name, bytes)])), rows };
}

/**
 * Check that every row number, place and group number which the kernels read is in range. @throws {FormatError} naming
 * the part
 */
export function* checkNumbers(part: Part, shape: LeafShape, parts: LeafParts, rows: number): Generator<void, void> {
  const { leaves, groups, builtGroups, upperGroups, capacity } = shape;
  const slots = parts.rowOf!.integers(capacity * GROUP_SLOTS);
  yield* within(slots, -1, rows, () => part.error('rowOf', `expected rows below ${rows}`));
  const valid = parts.valid!.integers(capacity);
  for (let slot = 0; slot < slots.length; slot++) {
    if (slots[slot] === -1 && (valid[slot >> 5]! >>> (slot & 31)) & 1) {
      throw part.error('valid', `expected no bit where there is no row, got one for slot ${slot}`);
    }
    if (slot % CHECKED_AT_ONCE === 0) yield;
  }
  if (shape.places > 0) {
    const places = parts.placeOf!.integers(slots.length);
    yield* within(places, 0, shape.places, () => part.error('placeOf', `expected places below ${shape.places}`));
  }
  if (leaves === 0) return;
  if (!isAscending(parts.leafGroups!.integers(leaves + 1), builtGroups)) {
    throw part.error('leafGroups', `expected groups of leaves in order up to ${builtGroups}`);
  }
  yield;
  // A chain goes from newer to older groups, so it ends.
  const next = parts.nextGroup!.integers(capacity);
  const heads = parts.leafExtra!.integers(leaves);
  const noChain = (): Error => part.error('nextGroup', 'expected chains of groups that end');
  yield* within(heads, -1, groups, noChain);
  for (let group = 0; group < next.length; group++) {
    if (next[group]! < -1 || next[group]! >= group) throw noChain();
    if (group % CHECKED_AT_ONCE === 0) yield;
  }
  if (parts.upperLeaves && !isAscending(parts.upperLeaves!.integers(upperGroups + 1), leaves)) {
    throw part.error('upperLeaves', `expected leaves of groups in order up to ${leaves}`);
  }
  if (shape.hasBounds) {
    const built = parts.leafGroups!.integers(leaves + 1);
    const quads = parts.leafQuads!.integers(leaves + 1);
    const fit = quads.every(
      (quad, l) => l === 0 || quad - quads[l - 1]! === Math.ceil((built[l]! - built[l - 1]!) / 4),
    );
    if (!fit || quads[0] !== 0) throw part.error('leafQuads', 'expected a bound for each group');
  }
}

/** Check that all numbers are at least `least` and below `end`. */
function* within(numbers: Int32Array, least: number, end: number, error: () => Error): Generator<void, void> {
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i]! < least || numbers[i]! >= end) throw error();
    if (i % CHECKED_AT_ONCE === 0) yield;
  }
}

function isAscending(numbers: Int32Array, last: number): boolean {
  return (
    numbers[0] === 0 &&
    numbers[numbers.length - 1] === last &&
    numbers.every((value, i) => i === 0 || value >= numbers[i - 1]!)
  );
}
