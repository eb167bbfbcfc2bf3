/**
 * First pointers of a CQR table, learned from co-occurrence: ids that occur with similar ids on the other side of the
 * training data share rows. Without it a new table begins with pointers that are hashes.
 *
 *   pointer(i, column) = nearest of k centroids of the column's features of id i (co-occurrence-matrix.ts)
 *
 * Each column uses singular directions of its own, so that the columns group ids differently, as different hashes do. Source:
 * GraphHash (WWW 2025), which makes tables from clusters of the graph of interactions. Later clusterings of CQR start from
 * these pointers. Letters: c columns, k rows of one M, w = d / c. Memory above the tables: up to three times one column's features, each 1/c of a full table.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { FUNCTION, NUMBER, objectWith, optionsCheck, SIGNAL } from '../checks/options.ts';
import { OptionError, StateError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { CoOccurrenceMatrix, type CoOccurrences } from './co-occurrence-matrix.ts';
import type { EmbeddingTable } from './contract.ts';
import { Cqr } from './cqr.ts';
import { learnedWords } from './learned-ids.ts';
import { checkTable, exclusively } from './table-lock.ts';
import { trainCentroids } from './train-centroids.ts';
import { WorkSteps } from './work-steps.ts';

/** Rounds of subspace iteration. On MovieLens-100K more rounds changed nothing, and no round raised the cross-entropy by 0.05. */
const HOPS = 2;
/** Iterations of k-means: FAISS's default for codebooks. */
const ITERATIONS = 25;
/** The most rows on which a centroid is trained: FAISS's `max_points_per_centroid`. */
const SAMPLE_PER_CLUSTER = 256;

/** Options of `pointByCoOccurrence`. */
export interface CoOccurrenceOptions {
  /** Rounds of subspace iteration; default 2. */
  hops?: number;
  /** Iterations of k-means; default 25. */
  iterations?: number;
  /** Called with the share done, in [0, 1]. */
  onProgress?: ((share: number) => void) | undefined;
  /** Interrupts the work; the pointers of a table are then either all new or all unchanged. */
  signal?: AbortSignal | undefined;
}

const checkOptions = optionsCheck<CoOccurrenceOptions>('pointByCoOccurrence', {
  hops: NUMBER,
  iterations: NUMBER,
  onProgress: FUNCTION,
  signal: SIGNAL,
});

/**
 * Set the pointers of new CQR tables by co-occurrence, once, before training; it counts as their first clustering. A table
 * that is not CQR stays unchanged. With `minCount`, ids with fewer rows than that keep hashed pointers.
 *
 * @throws {OptionError} when neither is a CQR table, or an id is beyond its vocabulary
 * @throws {ShapeError} when there is no row or columns differ in length
 * @throws {StateError} when a table was clustered before, no id has `minCount` rows, or a table is in use
 * @throws {AbortedError} when the signal is raised
 */
export async function pointByCoOccurrence(
  queryTable: EmbeddingTable,
  candidateTable: EmbeddingTable,
  rows: CoOccurrences,
  options: CoOccurrenceOptions = {},
): Promise<void> {
  const { hops = HOPS, iterations = ITERATIONS, onProgress, signal } = checkOptions(options);
  checkArgument('rows', rows, objectWith('rows with queries and candidates', 'queries', 'candidates'));
  checkInteger('hops', hops, 0);
  checkInteger('iterations', iterations, 1);
  const tables = [queryTable, candidateTable]
    .map(checkTable)
    .flatMap((table, side) => (table instanceof Cqr ? [{ table, side: side as 0 | 1 }] : []));
  if (tables.length === 0) throw new OptionError('tables: expected at least one of method cqr, got none');
  const sizes: [number, number] = [queryTable.vocabularySize, candidateTable.vocabularySize];
  const how = { hops, iterations, onProgress, signal };
  return exclusively('pointByCoOccurrence', [queryTable, candidateTable], () => point(tables, sizes, rows, how));
}

async function point(
  tables: readonly { table: Cqr; side: 0 | 1 }[],
  sizes: [number, number],
  rows: CoOccurrences,
  { hops, iterations, onProgress, signal }: CoOccurrenceOptions & { hops: number; iterations: number },
): Promise<void> {
  const clustered = tables.find(({ table }) => table.clusterings > 0)?.table;
  if (clustered) throw new StateError(`tables: expected new ones, got one clustered ${clustered.clusterings} times`);
  const matrix = new CoOccurrenceMatrix(rows, sizes);
  const total = tables.reduce((sum, { table }) => sum + table.columns * iterations, 0);
  const steps = new WorkSteps('co-occurrence', total, { onProgress, signal });
  let done = 0;
  for (const { table, side } of tables) {
    const { vocabularySize, columns, minCount, dimensions, codebook } = table;
    const seen = Uint8Array.from(matrix.counts[side], (count) => Math.min(count, minCount));
    const ids = idsOf(table, seen);
    const random = new Generator(table.seed).fork('co-occurrence');
    const pointers = new Uint16Array(ids.length * columns);
    const clusters = table.clustersFor(true, ids.length);
    const width = dimensions / columns;
    for (let column = 0; column < columns; column++) {
      const features = new Matrix(ids.length, width, codebook.runtime);
      try {
        const all = matrix.features(side, width, hops, random.fork('start', column));
        ids.forEach((id, i) => {
          features.data.set(all.subarray(id * width, (id + 1) * width), i * width);
        });
        const onStep = (): Promise<void> => steps.step(ids.length * width * clusters);
        const how = { clusters, iterations, random: random.fork('k-means', column) };
        const labels = await clusterFeatures(features, how, onStep);
        for (let i = 0; i < ids.length; i++) pointers[i * columns + column] = labels[i]!;
      } finally {
        features.free();
      }
      done += iterations;
      steps.reach(done);
    }
    const counts = minCount > 1 ? { counts: { learned: bitsOf(ids, vocabularySize), seen } } : {};
    table.restorePointers({ clusterings: 1, sums: 2, pointers, ...counts });
  }
}

/** The nearest of k-means' centroids of each row of features [n, w]. */
async function clusterFeatures(
  features: Matrix,
  { clusters, iterations, random }: { clusters: number; iterations: number; random: Generator },
  onStep: () => Promise<void>,
): Promise<Int32Array> {
  const { runtime, rows } = features;
  const sampleSize = SAMPLE_PER_CLUSTER * clusters;
  const how = { clusters, iterations, sampleSize, initialization: 'random', random, onStep } as const;
  const trained = await trainCentroids(features, how);
  const [labels, scores] = [runtime.heap.allocate(4 * rows), runtime.heap.allocate(4 * rows)];
  trained.assign(features.offset, rows, labels, scores);
  const nearest = labels.integers(rows).slice();
  for (const block of [labels, scores, trained]) block.free();
  return nearest;
}

/** Ids to point: all, or those with `minCount` rows. */
function idsOf({ vocabularySize, minCount }: Cqr, seen: Uint8Array): Int32Array {
  const all = Int32Array.from({ length: vocabularySize }, (_, id) => id);
  const ids = minCount === 1 ? all : all.filter((id) => seen[id] === minCount);
  if (ids.length > 0) return ids;
  throw new StateError(`rows: expected ids with at least ${minCount} of them (minCount), got none`);
}

function bitsOf(ids: Int32Array, vocabularySize: number): Uint32Array {
  const words = new Uint32Array(learnedWords(vocabularySize));
  for (const id of ids) words[id >>> 5]! |= 1 << (id & 31);
  return words;
}
