/**
 * The passes over the source of a build that streams: a sample trains the head (survey.ts, train-head.ts), then every
 * candidate is written to the run of its segment (partition-runs.ts). The segments can then be built one by one.
 */
import { checkInteger } from '../../../checks/numbers.ts';
import type { Progress } from '../../../clustering/k-means.ts';
import { MemoryError } from '../../../errors/errors.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import { Generator as Random } from '../../../random/generator.ts';
import type { CandidateDataset, Identifier } from '../../contract.ts';
import type { Identifiers } from '../../identifiers.ts';
import { buildLive, type Candidates, gatherDataset } from '../build/build-live.ts';
import { needsTree } from '../build/needs-tree.ts';
import { checkPrefix } from '../build/shape.ts';
import { type LeafShape, type Leaves, rowStride } from '../leaves.ts';
import { segmentsOf } from '../segments/segments.ts';
import type { ScannSettings } from '../settings.ts';
import type { LiveIndex } from '../update/live-index.ts';
import { assignersOf } from './assign-piece.ts';
import { otherCandidates, partitionRuns, RUNS_LAYOUT, recordBytesOf } from './partition-runs.ts';
import type { RunStore } from './run-store.ts';
import { sampleSizeOf, shapesOf } from './segment-shapes.ts';
import { type Survey, surveyDataset } from './survey.ts';
import { checkMemory, checkSegments, finishWithProgress, runBytesFor, trainHead } from './train-head.ts';

/** Default of `memoryBytes`. */
const MEMORY_BYTES = 2 ** 31;

/** The options of `indexStreamed`. */
export interface StreamedBuild {
  /** The store of the finished part of the build: `memoryRuns()`, or `fileRuns(folder)` of `shortlist/node`. */
  runs: RunStore;
  /** Bytes that the build may use beside the finished segments; default 2 GiB. */
  memoryBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** A build whose candidates are in runs. */
export interface PartitionedBuild<I extends Identifier> {
  head: Leaves;
  /** The first leaf of each segment, followed by the number of leaves. */
  firstLeaves: readonly number[];
  /** The shape of each segment. */
  shapes: readonly LeafShape[];
  /** Candidates of each segment; one with leaves in two segments counts in both. */
  sizes: readonly number[];
  rows: number;
  identifiers: Identifiers<I>;
  /** [d] the largest magnitude of each dimension. */
  magnitudes: Float32Array;
  /** A text that identifies settings, candidates and segments. */
  build: string;
}

/**
 * Read the source. A data set that the sample holds whole is built at once.
 *
 * @throws as `indexStreamed`
 */
export async function partitionDataset<I extends Identifier>(
  dataset: CandidateDataset<I>,
  settings: ScannSettings,
  { runs, memoryBytes = MEMORY_BYTES, signal, onProgress = () => undefined }: StreamedBuild,
  runtime: Runtime,
): Promise<{ whole: LiveIndex<I> } | { partitioned: PartitionedBuild<I> }> {
  checkInteger('memoryBytes', memoryBytes, 1);
  const isUnitLength = settings.distanceMeasure === 'cosine';
  const sampleSize = sampleSizeOf(settings);
  const survey = await surveyDataset(dataset, runtime, {
    sampleSize,
    isUnitLength,
    random: new Random(settings.seed).fork('sample'),
    checkDimensions: (dimensions) => {
      checkPrefix(dimensions, settings);
      checkMemory(memoryBytes, sampleSize, dimensions, settings, runtime);
    },
    signal,
    onProgress,
  });
  const { rows, sample, identifiers, magnitudes } = survey;
  const isSampleWhole = rows <= sampleSize;
  if (isSampleWhole || !needsTree(rows, survey.dimensions, settings)) {
    const candidates = isSampleWhole
      ? { rows: sample, identifiers }
      : await gatherFlat(dataset, survey, memoryBytes, settings, runtime);
    const segments = settings.segmentBytes === undefined ? undefined : segmentsOf(settings.segmentBytes);
    return { whole: await finishWithProgress(buildLive(candidates, settings, runtime, segments), onProgress) };
  }
  checkSegmentsOf(survey, memoryBytes, settings);
  const steps = trainHead(survey, settings, memoryBytes, runtime);
  const { head, firstLeaves } = await finishWithProgress(steps, onProgress);
  const assigners = assignersOf(head, settings);
  const { centroids } = assigners;
  const build = buildName(survey, head.shape, settings, firstLeaves);
  try {
    const runBytes = runBytesFor(memoryBytes);
    const input = { survey, head, ...assigners, firstLeaves, isUnitLength, build, runs, runBytes, signal, onProgress };
    const { meanDistance, leafRows, records: sizes } = await partitionRuns(dataset, input);
    head.shape.builtDistance = meanDistance;
    if (head.shape.copies > 1) head.shape.places = rows;
    const shapes = shapesOf(head.shape, firstLeaves, leafRows, sizes);
    return { partitioned: { head, firstLeaves, shapes, sizes, rows, identifiers, magnitudes, build } };
  } catch (error) {
    head.free();
    throw error;
  } finally {
    centroids.free();
  }
}

/**
 * Read all candidates of an index without leaves, whose sample holds only some of them.
 *
 * @throws {MemoryError} when they need more than `memoryBytes`
 * @throws {StateError} when there are more or fewer than in the first pass
 */
async function gatherFlat<I extends Identifier>(
  dataset: CandidateDataset<I>,
  { rows, dimensions, sample }: Survey<I>,
  memoryBytes: number,
  settings: ScannSettings,
  runtime: Runtime,
): Promise<Candidates<I>> {
  sample.free();
  const least = 4 * rows * rowStride(dimensions);
  if (memoryBytes < least) {
    throw new MemoryError(
      `memoryBytes: expected at least ${least} bytes for ${rows} candidates × ${dimensions} dimensions without leaves ` +
        `(tree: '${settings.tree}'), got ${memoryBytes}`,
    );
  }
  const candidates = await gatherDataset(dataset, settings, runtime);
  if (candidates.rows.rows === rows) return candidates;
  candidates.rows.free();
  throw otherCandidates(rows, candidates.rows.rows);
}

/** `checkSegments`; the sample is freed when it throws. */
function checkSegmentsOf(
  { rows, dimensions, sample }: Survey<Identifier>,
  memoryBytes: number,
  settings: ScannSettings,
): void {
  try {
    checkSegments(memoryBytes, rows, dimensions, settings);
  } catch (error) {
    sample.free();
    throw error;
  }
}

/** A text that identifies settings, candidates and segments, so that a build does not use the runs of another build. */
function buildName(
  { rows, dimensions, checksum }: Survey<Identifier>,
  shape: LeafShape,
  settings: ScannSettings,
  cuts: readonly number[],
): string {
  return JSON.stringify({
    rows,
    dimensions,
    checksum: String(checksum),
    settings,
    cuts,
    record: recordBytesOf(shape),
    layout: RUNS_LAYOUT,
  });
}
