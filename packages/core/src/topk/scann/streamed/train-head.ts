/**
 * Trains the head of a build that streams on its sample, and decides which leaves each segment has, so that the build of
 * a segment fits into the bound on memory.
 */
import { assignGrouped, GROUPS_FROM, groupedBytes } from '../../../clustering/grouped-centroids.ts';
import type { Progress } from '../../../clustering/k-means.ts';
import { MemoryError } from '../../../errors/errors.ts';
import { SEGMENTS_MAX } from '../../../format/layout.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { nextTurn } from '../../../parallel/steps.ts';
import type { Identifier } from '../../contract.ts';
import { Identifiers } from '../../identifiers.ts';
import { buildTree } from '../build/build.ts';
import { buildMemory } from '../build/build-memory.ts';
import { prepareRows } from '../build/prepare-rows.ts';
import { largestShape, prefixOf } from '../build/shape.ts';
import { chooseRowFormat } from '../calibration/row-format.ts';
import { LeafSet } from '../leaf-set.ts';
import { GROUP_SLOTS, type LeafShape, Leaves } from '../leaves.ts';
import { bytesOfGroup, copyHead } from '../segments/cut-leaves.ts';
import type { ScannSettings } from '../settings.ts';
import { LiveIndex } from '../update/live-index.ts';
import { trainingSettings } from './segment-shapes.ts';
import type { Survey } from './survey.ts';

/** The least bytes of a segment, and of records kept before they are written. */
const SEGMENT_BYTES_MIN = 2 ** 20;
const RUN_BYTES_MIN = 2 ** 16;
/** The share of `memoryBytes` for records that are kept before they are written. */
const RUN_SHARE = 1 / 32;
/** The most bytes of the build of a segment: a memory of 4 GiB, less room for leaves that are larger than in the sample. */
const BUILD_BYTES_MAX = 3.5 * 2 ** 30;
/** The default of the largest segment: half a memory, which leaves room for updates and for the buffers of calls. */
const SEGMENT_BYTES_MAX = 2 ** 31;

/** Bytes of records that are kept before they are written. */
export function runBytesFor(memoryBytes: number): number {
  return Math.max(RUN_BYTES_MIN, Math.floor(memoryBytes * RUN_SHARE));
}

/** Train the head on the sample, and decide which leaves each segment has. The sample is freed. */
export function* trainHead(
  { sample, rows, magnitudes }: Survey<Identifier>,
  settings: ScannSettings,
  memoryBytes: number,
  runtime: Runtime,
): Generator<Progress, { head: Leaves; firstLeaves: number[] }> {
  const count = sample.rows;
  try {
    const prepared = prepareRows(sample, settings.distanceMeasure, prefixOf(sample.dimensions, settings)?.prefix);
    const input = { ...prepared, total: rows, assign: settings.numLeaves < GROUPS_FROM ? undefined : assignGrouped };
    const trained = yield* buildTree(input, trainingSettings(settings), runtime);
    try {
      chooseRowFormat(new LiveIndex(LeafSet.whole(trained), new Identifiers(count), count, false), settings);
      const head = new Leaves(runtime, { ...trained.shape }, copyHead(trained));
      head.parts.rowScales?.floats(magnitudes.length).set(magnitudes.map((most) => most / 127));
      const bytes = Math.min(settings.segmentBytes ?? SEGMENT_BYTES_MAX, segmentBytesFor(memoryBytes, trained.shape));
      return { head, firstLeaves: segmentLeaves(trained, rows / count, bytes) };
    } finally {
      trained.free();
    }
  } finally {
    sample.free();
  }
}

/**
 * The first leaf of each segment, followed by the number of leaves.
 *
 * @param factor candidates of the data set for each candidate of the sample
 */
function segmentLeaves(trained: Leaves, factor: number, segmentBytes: number): number[] {
  const { shape } = trained;
  const valid = trained.integers('valid');
  const bytes = Array.from({ length: shape.leaves }, (_, leaf) => {
    let points = 0;
    for (const group of trained.groupsOf(leaf)) for (let word = valid[group]!; word !== 0; word &= word - 1) points++;
    return (bytesOfGroup(shape) * Math.ceil(points * factor)) / GROUP_SLOTS;
  });
  const total = bytes.reduce((sum, each) => sum + each, 0);
  const most = Math.max(segmentBytes, total / (SEGMENTS_MAX - 1));
  const cuts = [0];
  let held = 0;
  bytes.forEach((each, leaf) => {
    if (held > 0 && held + each > most && cuts.length < SEGMENTS_MAX) {
      cuts.push(leaf);
      held = 0;
    }
    held += each;
  });
  return [...cuts, shape.leaves];
}

/** The largest segment whose build fits into half of `memoryBytes`, and into one memory. */
function segmentBytesFor(memoryBytes: number, shape: LeafShape): number {
  const { kept, building } = bytesPerRow(shape);
  const bytes = Math.min(memoryBytes / 2, BUILD_BYTES_MAX);
  return Math.max(SEGMENT_BYTES_MIN, Math.floor(bytes * (kept / (kept + building))));
}

/**
 * The bytes of a candidate in one leaf of a segment, and those that the build of the segment needs beside them: the row as float32,
 * once more where it is rotated, its codes and its place in the order of the leaves.
 */
function bytesPerRow(shape: LeafShape): { kept: number; building: number } {
  const { dimensions: d, productBlocks, correctionBlocks, hasRotation } = shape;
  const building = 4 * d * (hasRotation ? 2 : 1) + productBlocks + correctionBlocks + 32;
  return { kept: bytesOfGroup(shape) / GROUP_SLOTS, building };
}

/**
 * Check that the candidates fit into as many segments as an index may have, before anything is trained.
 *
 * @throws {MemoryError} when the build of a segment would need more than half of `memoryBytes`, or more than one memory
 */
export function checkSegments(memoryBytes: number, rows: number, dimensions: number, settings: ScannSettings): void {
  const shape = largestShape(rows, dimensions, settings, true);
  const { kept, building } = bytesPerRow(shape);
  const bytes = shape.copies * (kept + building);
  const least = Math.ceil((2 * rows * bytes) / (SEGMENTS_MAX - 1));
  const size = `${rows} candidates × ${dimensions} dimensions`;
  if (least > 2 * BUILD_BYTES_MAX) {
    const most = Math.floor((BUILD_BYTES_MAX * (SEGMENTS_MAX - 1)) / bytes);
    throw new MemoryError(`candidates: expected at most ${most} in ${SEGMENTS_MAX} segments, got ${size}`);
  }
  if (memoryBytes >= least) return;
  throw new MemoryError(
    `memoryBytes: expected at least ${least} bytes for ${size} in ${SEGMENTS_MAX} segments, got ${memoryBytes}`,
  );
}

/** @throws {MemoryError} when the sample and its training need more than `memoryBytes` */
export function checkMemory(
  memoryBytes: number,
  sampleSize: number,
  dimensions: number,
  settings: ScannSettings,
  { pool }: Runtime,
): void {
  const { rows, others } = buildMemory(sampleSize, dimensions, trainingSettings(settings), pool.threads);
  const { numLeaves } = settings;
  const groups = numLeaves < GROUPS_FROM ? 0 : groupedBytes(numLeaves, dimensions, pool.threads);
  // The sample is first collected outside the linear memory.
  const least = 2 * rows + others + groups + 2 * RUN_BYTES_MIN;
  if (memoryBytes >= least) return;
  throw new MemoryError(
    `memoryBytes: expected at least ${least} bytes for a training sample of ${sampleSize} rows × ${dimensions} dimensions, ` +
      `got ${memoryBytes}; a smaller trainingSampleSize or fewer leaves (numLeaves) need less`,
  );
}

/** Do all steps, with a turn of the event loop after each. */
export async function finishWithProgress<T>(
  steps: Generator<Progress, T>,
  onProgress: (progress: Progress) => void,
): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    onProgress(step.value);
    await nextTurn();
  }
}
