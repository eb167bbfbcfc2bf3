/** Builds an index of candidates: a tree of leaves, or a flat index of the rows where there are few candidates. */
import type { Progress } from '../../../clustering/k-means.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { readCandidates, readDataset } from '../../candidate-builder.ts';
import type { CandidateDataset, Identifier } from '../../contract.ts';
import { checkIdentifiers, Identifiers } from '../../identifiers.ts';
import type { VectorSource } from '../../vector-source.ts';
import { MEASUREMENTS } from '../calibration/measurements.ts';
import { LeafSet } from '../leaf-set.ts';
import type { Segments } from '../segments/segments.ts';
import type { ScannSettings } from '../settings.ts';
import { LiveIndex } from '../update/live-index.ts';
import { buildFlat, buildTree } from './build.ts';
import { askForMemory } from './build-memory.ts';
import { needsTree } from './needs-tree.ts';
import { prepareRows } from './prepare-rows.ts';
import { RowBuffer } from './row-buffer.ts';
import { checkPrefix, prefixOf } from './shape.ts';

/** Rows and their identifiers, in the runtime. */
export interface Candidates<I extends Identifier> {
  rows: Matrix;
  identifiers: Identifiers<I>;
}

/** A buffer that checks, before it copies rows, that there is memory for the whole build. */
function buildBuffer(settings: ScannSettings, runtime: Runtime): RowBuffer {
  return new RowBuffer(runtime, (rows, dimensions, held) => {
    checkPrefix(dimensions, settings);
    return askForMemory(runtime, rows, dimensions, settings, held);
  });
}

/**
 * Copy candidates into the runtime, after a check that there is memory for the whole build.
 *
 * @throws as `ScaNN.index`
 */
export function gatherCandidates<I extends Identifier>(
  candidates: VectorSource,
  identifiers: readonly I[] | undefined,
  settings: ScannSettings,
  runtime: Runtime,
): Candidates<I> {
  const buffer = buildBuffer(settings, runtime);
  try {
    const names = readCandidates(candidates, identifiers, buffer);
    return { rows: buffer.take(), identifiers: names };
  } catch (error) {
    buffer.free();
    throw error;
  }
}

/**
 * Take over the memory of a matrix of candidates.
 *
 * @throws as `ScaNN.index`; the matrix keeps its numbers then
 */
export function takeCandidates<I extends Identifier>(
  candidates: Matrix,
  identifiers: readonly I[] | undefined,
  settings: ScannSettings,
  runtime: Runtime,
): Candidates<I> {
  const { rows } = candidates;
  if (identifiers) checkIdentifiers(identifiers, rows);
  const buffer = buildBuffer(settings, runtime);
  buffer.adopt(candidates);
  return { rows: buffer.take(), identifiers: new Identifiers(rows, identifiers) };
}

/** Read a data set into the runtime, batch by batch. @throws as `ScaNN.indexFromDataset` */
export async function gatherDataset<I extends Identifier>(
  dataset: CandidateDataset<I>,
  settings: ScannSettings,
  runtime: Runtime,
): Promise<Candidates<I>> {
  const buffer = buildBuffer(settings, runtime);
  try {
    const identifiers = await readDataset(dataset, buffer);
    return { rows: buffer.take(), identifiers };
  } catch (error) {
    buffer.free();
    throw error;
  }
}

/** Choose the format of the rows of a built index, and calibrate the index; it is freed where that ends early. */
function* measured<I extends Identifier>(live: LiveIndex<I>, settings: ScannSettings): Generator<Progress, void> {
  let isMeasured = false;
  try {
    const { recall, rows } = MEASUREMENTS;
    rows?.choose(live, settings);
    if (settings.targetRecall !== undefined) {
      live.calibration = yield* recall!.calibrate(live, settings, settings.targetRecall);
    }
    isMeasured = true;
  } finally {
    if (!isMeasured) live.free();
  }
}

/** Move an index to segments. */
function inSegments<I extends Identifier>(live: LiveIndex<I>, segments: Segments): LiveIndex<I> {
  const { identifiers, size, isUnitLength, calibration } = live;
  try {
    const moved = new LiveIndex(segments.cut(live.leaves.head), identifiers, size, isUnitLength, segments);
    moved.calibration = calibration;
    return moved;
  } finally {
    live.free();
  }
}

/**
 * Build an index of candidates, in steps, and free the candidates.
 *
 * @param segments the segments into which an index with leaves is cut
 */
export function* buildLive<I extends Identifier>(
  { rows, identifiers }: Candidates<I>,
  settings: ScannSettings,
  runtime: Runtime,
  segments?: Segments,
): Generator<Progress, LiveIndex<I>> {
  const { distanceMeasure } = settings;
  try {
    const hasTree = needsTree(rows.rows, rows.dimensions, settings);
    const prefix = hasTree ? prefixOf(rows.dimensions, settings)?.prefix : undefined;
    const input = prepareRows(rows, distanceMeasure, prefix);
    const leaves = hasTree ? yield* buildTree(input, settings, runtime) : buildFlat(rows, settings, runtime);
    const live = new LiveIndex(LeafSet.whole(leaves), identifiers, rows.rows, distanceMeasure === 'cosine');
    if (hasTree) yield* measured(live, settings);
    return hasTree && segments ? inSegments(live, segments) : live;
  } finally {
    rows.free();
  }
}
