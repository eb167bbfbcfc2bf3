/** Builds an index of candidates: a tree of leaves, or a flat index of their rows where there are few. */
import type { Progress } from '../../../clustering/k-means.ts';
import type { Runtime } from '../../../parallel/runtime.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import { readCandidates, readDataset } from '../../candidate-builder.ts';
import type { CandidateDataset, Identifier } from '../../contract.ts';
import type { Identifiers } from '../../identifiers.ts';
import type { VectorSource } from '../../vector-source.ts';
import type { ScannSettings } from '../options.ts';
import { LiveIndex } from '../update/live-index.ts';
import { buildFlat, buildTree } from './build.ts';
import { prepareRows } from './prepare-rows.ts';
import { RowBuffer } from './row-buffer.ts';

/** Products below which scoring everything is about as fast as a tree, and exact: 20,000 candidates of 32 dimensions. */
const TREE_WORK_MIN = 20_000 * 32;
/** Candidates below which that holds at any width: a tree scores a few hundred of them exactly as well. */
const TREE_CANDIDATES_MIN = 4_000;
/** Codes of 16 words a block need as many rows. */
const TREE_ROWS_MIN = 16;

/** Rows and their identifiers, in the runtime. */
export interface Candidates<I extends Identifier> {
  rows: Matrix;
  identifiers: Identifiers<I>;
}

/**
 * Copy candidates into the runtime.
 *
 * @throws as `ScaNN.index`
 */
export function gatherCandidates<I extends Identifier>(
  candidates: VectorSource,
  identifiers: readonly I[] | undefined,
  runtime: Runtime,
): Candidates<I> {
  const buffer = new RowBuffer(runtime);
  try {
    const names = readCandidates(candidates, identifiers, buffer);
    return { rows: buffer.take(), identifiers: names };
  } catch (error) {
    buffer.free();
    throw error;
  }
}

/** Read a data set into the runtime, batch by batch. @throws as `ScaNN.indexFromDataset` */
export async function gatherDataset<I extends Identifier>(
  dataset: CandidateDataset<I>,
  runtime: Runtime,
): Promise<Candidates<I>> {
  const buffer = new RowBuffer(runtime);
  try {
    const identifiers = await readDataset(dataset, buffer);
    return { rows: buffer.take(), identifiers };
  } catch (error) {
    buffer.free();
    throw error;
  }
}

/** Whether scoring every candidate is more work than searching leaves. */
function needsTree({ rows, dimensions }: Matrix): boolean {
  return rows >= TREE_CANDIDATES_MIN && rows * dimensions >= TREE_WORK_MIN;
}

/** Build an index of candidates, in steps, and free the candidates. */
export function* buildLive<I extends Identifier>(
  { rows, identifiers }: Candidates<I>,
  settings: ScannSettings,
  runtime: Runtime,
): Generator<Progress, LiveIndex<I>> {
  const { tree, distanceMeasure } = settings;
  const input = prepareRows(rows, distanceMeasure);
  try {
    const hasTree = rows.rows >= TREE_ROWS_MIN && (tree === 'always' || (tree === 'auto' && needsTree(rows)));
    const leaves = hasTree ? yield* buildTree(input, settings, runtime) : buildFlat(rows, settings, runtime);
    return new LiveIndex(leaves, identifiers, rows.rows, distanceMeasure === 'cosine');
  } finally {
    if (input.coded !== input.rows) input.coded.free();
    input.rows.free();
  }
}
