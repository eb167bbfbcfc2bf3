/**
 * Packs the records of a segment: encodes them, orders them by leaf, and makes the parts of the segment, with the centroids and
 * the codebook of the head.
 */
import { Centroids } from '../../../clustering/centroids.ts';
import { listMembers } from '../../../clustering/members.ts';
import { StateError } from '../../../errors/errors.ts';
import type { Block } from '../../../memory/heap.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { rotateRows } from '../../../quantization/pca.ts';
import { Matrix } from '../../../vectors/matrix.ts';
import { CodedRows, prefixes } from '../build/coded-rows.ts';
import { encode } from '../build/codes.ts';
import { firstGroups, packLeaves } from '../build/pack.ts';
import type { Owned } from '../build/partition.ts';
import { storeRows } from '../build/store-rows.ts';
import {
  codedDimensions,
  GROUP_SLOTS,
  type LeafParts,
  type LeafShape,
  Leaves,
  rowStride,
  segmentPartBytes,
} from '../leaves.ts';

/** The rows of a segment and their leaves. */
export interface SegmentRecords {
  rows: Matrix;
  /** [n] the number that each row has in the index. */
  numbers: Int32Array;
  /** [n] the leaf of each row, −1 where another segment has it. */
  leaves: Int32Array;
  /** [n] the second leaf of each row, −1 for none in this segment; undefined where candidates have one leaf. */
  seconds: Int32Array | undefined;
}

/** The head, the shape and the memory of a segment that is built. */
export interface SegmentPacking {
  head: Leaves;
  shape: LeafShape;
  /** The largest magnitudes of all candidates, from which the scales of int8 rows are computed. */
  magnitudes: Float32Array;
  /** The runtime in whose memory the segment is built. */
  runtime: Runtime;
}

/** Rows in their leaves: each in its first leaf, then those that have a second one here, in the order of a build in one memory. */
interface LeafCopies {
  count: number;
  /** [count] the leaf of each copy. */
  labels: Block;
  /** [count] the row of each copy; undefined where copies are rows. */
  copyRow: Block | undefined;
}

/**
 * Pack a segment, and take over the memory of its rows. Memory that the segment does not keep is freed.
 *
 * @throws {StateError} when the records are not those from which the shape was computed
 */
export function packSegment(packing: SegmentPacking, records: SegmentRecords): Leaves {
  const owned: Owned = [];
  try {
    return pack(packing, records, owned);
  } finally {
    for (const block of owned) block.free();
  }
}

function copiesOf({ leaves, seconds }: SegmentRecords, runtime: Runtime, owned: Owned): LeafCopies {
  const lists = seconds ? [leaves, seconds] : [leaves];
  const count = lists.reduce((sum, list) => list.reduce((own, leaf) => own + Number(leaf >= 0), sum), 0);
  const labels = runtime.heap.allocate(4 * count);
  owned.push(labels);
  if (!seconds) {
    labels.integers(count).set(leaves);
    return { count, labels, copyRow: undefined };
  }
  const copyRow = runtime.heap.allocate(4 * count);
  owned.push(copyRow);
  const [toLabels, toRows] = [labels.integers(count), copyRow.integers(count)];
  let to = 0;
  for (const list of lists) {
    for (let row = 0; row < list.length; row++) {
      if (list[row]! < 0) continue;
      toLabels[to] = list[row]!;
      toRows[to++] = row;
    }
  }
  return { count, labels, copyRow };
}

/** Encode the records, order them by leaf and pack them into groups. */
function pack({ head, shape, magnitudes, runtime }: SegmentPacking, records: SegmentRecords, owned: Owned): Leaves {
  const { rows, numbers } = records;
  const { count, labels, copyRow } = copiesOf(records, runtime, owned);
  const { leaves, correctionKind: kind, eta, productBlocks: blocks, blockWidth: width } = head.shape;
  const centroids = new Centroids(leaves, codedDimensions(head.shape), runtime);
  owned.push(centroids);
  centroids.matrix.data.set(head.floats('centroids').subarray(0, centroids.matrix.data.length));
  const codebook = { blocks, width, block: copied(head, 'codebook', runtime) };
  owned.push(codebook.block);
  const coded = codedForm(head, rows, owned, runtime);
  const trained = head.floats('corrections').slice(0, 16 * kind);
  const codes = encode(coded, count, copyRow, labels, centroids, codebook, eta, kind, runtime, trained);
  owned.push(codes.codes, codes.correctionCodes);
  const members = listMembers(labels.integers(count), leaves);
  const leafGroups = firstGroups(members.begin);
  const { groups } = shape;
  if (leafGroups[leaves] !== groups) {
    throw new StateError(`runs: expected ${groups} groups of candidates in a segment, got ${leafGroups[leaves]}`);
  }
  const parts: LeafParts = {};
  for (const [name, bytes] of Object.entries(segmentPartBytes(shape))) {
    if (name !== 'rows') parts[name] = runtime.heap.allocate(bytes);
  }
  parts.leafGroups!.integers(leaves + 1).set(leafGroups);
  parts.leafExtra!.integers(leaves).fill(-1);
  parts.nextGroup!.integers(groups).fill(-1);
  packLeaves(runtime, coded, shape, parts, members, leafGroups, copyRow, codes, centroids);
  // Rows are scaled by the largest magnitudes of all candidates, not only of these.
  parts.rowScales?.floats(magnitudes.length).set(magnitudes);
  storeRows(runtime, rows, shape, parts);
  const rowOf = parts.rowOf!.integers(groups * GROUP_SLOTS);
  for (let slot = 0; slot < rowOf.length; slot++) if (rowOf[slot]! >= 0) rowOf[slot] = numbers[rowOf[slot]!]!;
  return new Leaves(runtime, shape, parts, head);
}

/** The rows as they are coded, with the mean and the rotation of the head. */
function codedForm(head: Leaves, rows: Matrix, owned: Owned, runtime: Runtime): CodedRows {
  const { prefix, hasUnitPrefix = false, hasMean, hasRotation } = head.shape;
  const d = codedDimensions(head.shape);
  const whole = prefix === undefined ? rows : prefixes(rows, d, hasUnitPrefix);
  if (whole !== rows) owned.push(whole);
  const coded = new CodedRows(whole, hasMean ? head.floats('mean').slice(0, d) : undefined);
  if (!hasRotation) return coded;
  const rotated = coded.toMatrix();
  owned.push(rotated);
  const directions = new Matrix(d, rowStride(d), runtime, copied(head, 'rotation', runtime));
  owned.push(directions);
  rotateRows({ dimensions: d, directions }, rotated, rotated);
  return new CodedRows(rotated);
}

/** A part of the head in the memory of a runtime. */
function copied(head: Leaves, name: string, runtime: Runtime): Block {
  const from = head.parts[name]!;
  const block = runtime.heap.allocate(from.sizeBytes);
  block.bytes().set(from.bytes());
  return block;
}
