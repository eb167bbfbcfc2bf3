/**
 * Builds one segment of an index from its run in a memory of its own, with the centroids and the codebook of the head.
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
import { recordBytesOf, recordHeadOf, runName } from './partition-runs.ts';
import type { RunStore } from './run-store.ts';

/** Records read at a time. */
const RECORDS_AT_ONCE = 8_192;

/** The records of a segment. */
interface Records {
  rows: Matrix;
  /** [n] the number that each row has in the index. */
  numbers: Int32Array;
  /** [n] the leaf of each row, −1 where another segment has it. */
  leaves: Int32Array;
  /** [n] the second leaf of each row, −1 for none in this segment; undefined where candidates have one leaf. */
  seconds: Int32Array | undefined;
}

/** Rows in their leaves: each in its first leaf, then those that have a second one here, in the order of a build in one memory. */
interface LeafCopies {
  count: number;
  /** [count] the leaf of each copy. */
  labels: Block;
  /** [count] the row of each copy; undefined where copies are rows. */
  copyRow: Block | undefined;
}

/** The input of the build of a segment. */
export interface SegmentBuild {
  head: Leaves;
  segment: number;
  shape: LeafShape;
  /** The largest magnitudes of all candidates, from which the scales of int8 rows are computed. */
  magnitudes: Float32Array;
  runs: RunStore;
  /** The runtime in whose memory the segment is built. */
  runtime: Runtime;
}

/** Build a segment. Memory that the segment does not keep is freed. */
export async function buildSegment(build: SegmentBuild): Promise<Leaves> {
  const owned: Owned = [];
  try {
    return pack(build, await readRecords(build), owned);
  } finally {
    for (const block of owned) block.free();
  }
}

async function readRecords({ head, segment, runs, runtime }: SegmentBuild): Promise<Records> {
  const d = head.shape.dimensions;
  const name = runName(segment);
  const width = recordBytesOf(head.shape) / 4;
  const begins = recordHeadOf(head.shape);
  const n = (await runs.sizeOf(name)) / (4 * width);
  const rows = new Matrix(n, d, runtime);
  const [numbers, leaves] = [new Int32Array(n), new Int32Array(n)];
  const seconds = head.shape.copies > 1 ? new Int32Array(n) : undefined;
  for (let begin = 0; begin < n; begin += RECORDS_AT_ONCE) {
    const count = Math.min(RECORDS_AT_ONCE, n - begin);
    const floats = new Float32Array(count * width);
    await runs.read(name, 4 * width * begin, new Uint8Array(floats.buffer));
    const integers = new Int32Array(floats.buffer);
    const { data } = rows;
    for (let i = 0; i < count; i++) {
      numbers[begin + i] = integers[i * width]!;
      leaves[begin + i] = integers[i * width + 1]!;
      if (seconds) seconds[begin + i] = integers[i * width + 2]!;
      data.set(floats.subarray(i * width + begins, (i + 1) * width), (begin + i) * d);
    }
  }
  return { rows, numbers, leaves, seconds };
}

function copiesOf({ leaves, seconds }: Records, runtime: Runtime, owned: Owned): LeafCopies {
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
function pack({ head, segment, shape, magnitudes, runtime }: SegmentBuild, records: Records, owned: Owned): Leaves {
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
    throw new StateError(
      `runs: expected ${groups} groups of candidates in ${runName(segment)}, got ${leafGroups[leaves]}`,
    );
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
