/**
 * Builds an index from a data set that is read twice, so that the candidates are never all in memory as float32: a
 * sample trains the head (survey.ts), every candidate is then written to the run of its segment (partition-runs.ts),
 * and the segments are built one after another (build-segment.ts). If the sample holds all candidates, the result is
 * the same as that of `index`.
 */
import { checkInteger } from '../../../checks/numbers.ts';
import { Centroids } from '../../../clustering/centroids.ts';
import type { Progress } from '../../../clustering/k-means.ts';
import { MemoryError, OptionError } from '../../../errors/errors.ts';
import { SEGMENTS_MAX } from '../../../format/layout.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { nextTurn } from '../../../parallel/steps.ts';
import { Generator as Random } from '../../../random/generator.ts';
import type { CandidateDataset, Identifier } from '../../contract.ts';
import { buildTree } from '../build/build.ts';
import { buildLive } from '../build/build-live.ts';
import { buildMemory } from '../build/build-memory.ts';
import { needsTree } from '../build/needs-tree.ts';
import { prepareRows } from '../build/prepare-rows.ts';
import { LeafSet } from '../leaf-set.ts';
import { GROUP_SLOTS, type LeafShape, Leaves } from '../leaves.ts';
import { bytesOfGroup, copyHead } from '../segments/cut-leaves.ts';
import { segmentSearchOf } from '../segments/segmented-search.ts';
import { segmentsOf } from '../segments/segments.ts';
import type { ScannSettings } from '../settings.ts';
import { LiveIndex } from '../update/live-index.ts';
import { buildSegment } from './build-segment.ts';
import { partitionRuns, recordBytesOf } from './partition-runs.ts';
import type { RunStore } from './run-store.ts';
import { type Survey, surveyDataset } from './survey.ts';

/** The fewest rows of the sample for each leaf: the mean of fewer rows varies too much from sample to sample. */
const SAMPLE_PER_LEAF = 50;
/** Default of `memoryBytes`. */
const MEMORY_BYTES = 2 ** 31;
/** The least bytes of a segment, and of records kept before they are written. */
const SEGMENT_BYTES_MIN = 2 ** 20;
const RUN_BYTES_MIN = 2 ** 16;
/** The share of `memoryBytes` for records that are kept before they are written. */
const RUN_SHARE = 1 / 32;
/** The default of the largest segment: half a memory, which leaves room for updates and for the buffers of calls. */
const SEGMENT_BYTES_MAX = 2 ** 31;

/** The options of `indexStreamed`. */
export interface StreamedBuild {
  /** The store of the finished part of the build: `memoryRuns()`, or `fileRuns(folder)` of `shortlist/node`. */
  runs: RunStore;
  /** Bytes that the build may use beside the finished segments; default 2 GiB. */
  memoryBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Build an index. @throws as `ScaNN.indexStreamed` */
export async function buildStreamed<I extends Identifier>(
  dataset: CandidateDataset<I>,
  settings: ScannSettings,
  { runs, memoryBytes = MEMORY_BYTES, signal, onProgress = () => undefined }: StreamedBuild,
  runtime: Runtime,
): Promise<LiveIndex<I>> {
  checkInteger('memoryBytes', memoryBytes, 1);
  if (settings.soar !== false) {
    throw new OptionError(
      `soar: expected false for indexStreamed, which puts each candidate into one leaf, got ${settings.soar}`,
    );
  }
  const isUnitLength = settings.distanceMeasure === 'cosine';
  const sampleSize = Math.max(settings.trainingSampleSize, SAMPLE_PER_LEAF * settings.numLeaves);
  const survey = await surveyDataset(dataset, runtime, {
    sampleSize,
    isUnitLength,
    random: new Random(settings.seed).fork('sample'),
    checkDimensions: (dimensions) => checkMemory(memoryBytes, sampleSize, dimensions, settings, runtime),
    signal,
    onProgress,
  });
  const { rows, sample, identifiers } = survey;
  if (rows <= sampleSize || !needsTree(rows, survey.dimensions, settings)) {
    const segments = settings.segmentBytes === undefined ? undefined : segmentsOf(settings.segmentBytes);
    return finishWithProgress(buildLive({ rows: sample, identifiers }, settings, runtime, segments), onProgress);
  }
  const { head, firstLeaves } = await trainHead(survey, settings, memoryBytes, runtime, onProgress);
  const made: Leaves[] = [head];
  const centroids = centroidsOf(head);
  try {
    const input = { survey, head, centroids, firstLeaves, isUnitLength, runs, signal, onProgress };
    const runBytes = Math.max(RUN_BYTES_MIN, Math.floor(memoryBytes * RUN_SHARE));
    const build = buildName(survey, settings, firstLeaves);
    head.shape.builtDistance = await partitionRuns(dataset, { ...input, build, runBytes });
    const segments: Leaves[] = [];
    for (let s = 0; s + 1 < firstLeaves.length; s++) {
      signal?.throwIfAborted();
      const segment = await buildSegment(head, s, survey.magnitudes, runs);
      made.push(segment);
      segments.push(segment);
      onProgress({ step: 'segments', done: s + 1, total: firstLeaves.length - 1 });
    }
    const set = LeafSet.segmented(head, segments, firstLeaves);
    const live = new LiveIndex(set, identifiers, rows, isUnitLength, segmentSearchOf);
    await runs.clear();
    return live;
  } catch (error) {
    for (const leaves of made) {
      leaves.free();
      if (leaves !== head) leaves.runtime.pool.leave();
    }
    throw error;
  } finally {
    centroids.free();
  }
}

/** Train the head on the sample, and decide which leaves each segment has. The sample is freed. */
async function trainHead(
  { sample, rows, magnitudes }: Survey<Identifier>,
  settings: ScannSettings,
  memoryBytes: number,
  runtime: Runtime,
  onProgress: (progress: Progress) => void,
): Promise<{ head: Leaves; firstLeaves: number[] }> {
  const count = sample.rows;
  try {
    const trained = await finishWithProgress(
      buildTree(prepareRows(sample, settings.distanceMeasure), settings, runtime),
      onProgress,
    );
    try {
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

/**
 * The largest segment whose build fits into half of `memoryBytes`. The build holds the parts of the segment, its rows
 * as float32, its codes and the order of its rows.
 */
function segmentBytesFor(memoryBytes: number, shape: LeafShape): number {
  const perRow = bytesOfGroup(shape) / GROUP_SLOTS;
  const building = 4 * shape.dimensions + shape.productBlocks + shape.correctionBlocks + 32;
  return Math.max(SEGMENT_BYTES_MIN, Math.floor((memoryBytes / 2) * (perRow / (perRow + building))));
}

/** @throws {MemoryError} when the sample and its training need more than `memoryBytes` */
function checkMemory(
  memoryBytes: number,
  sampleSize: number,
  dimensions: number,
  settings: ScannSettings,
  { pool }: Runtime,
): void {
  const { rows, others } = buildMemory(sampleSize, dimensions, settings, pool.threads);
  // The sample is first collected outside the linear memory.
  const least = 2 * rows + others + 2 * RUN_BYTES_MIN;
  if (memoryBytes >= least) return;
  throw new MemoryError(
    `memoryBytes: expected at least ${least} bytes for a training sample of ${sampleSize} rows × ${dimensions} dimensions, ` +
      `got ${memoryBytes}; a smaller trainingSampleSize or fewer leaves (numLeaves) need less`,
  );
}

/** The centroids of the head, packed for assignment. */
function centroidsOf(head: Leaves): Centroids {
  const { leaves, dimensions } = head.shape;
  const centroids = new Centroids(leaves, dimensions, head.runtime);
  centroids.matrix.data.set(head.floats('centroids').subarray(0, leaves * dimensions));
  centroids.pack();
  return centroids;
}

/** A text that identifies settings, candidates and segments, so that a build does not use the runs of another build. */
function buildName(
  { rows, dimensions, checksum }: Survey<Identifier>,
  settings: ScannSettings,
  cuts: readonly number[],
): string {
  return JSON.stringify({
    rows,
    dimensions,
    checksum: String(checksum),
    settings,
    cuts,
    record: recordBytesOf(dimensions),
  });
}

/** Do all steps, with a turn of the event loop after each. */
async function finishWithProgress<T>(
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
