/**
 * One clustering of a CQR table: runs k-means on the vectors of each column, assigns every id to its nearest centroid,
 * and then replaces pointers and codebook of the table at once.
 *
 * Ids are processed in blocks, so the memory is that of the sample, one block and the new pointers, never V × d. The
 * table changes only at the end: after an interruption or an error it is as before. Source: the CCE paper, algorithm 3
 * and its FAISS settings (256 · k sampled ids); 20 iterations instead of 50, which did not make any model worse.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { BOOLEAN, FUNCTION, NUMBER, objectWith, optionsCheck, SIGNAL } from '../checks/options.ts';
import type { Block } from '../memory/heap.ts';
import type { SparseOptimizer } from '../optimizers/contract.ts';
import { Generator } from '../random/generator.ts';
import { type ClusterHealth, clusterHealth } from './cluster-health.ts';
import { sliceColumn } from './column-slices.ts';
import type { Cqr } from './cqr.ts';
import { BLOCK_IDS, finiteColumn, finiteVectors, sampleIds } from './sample-vectors.ts';
import { exclusively } from './table-lock.ts';
import { type TableCentroids, trainCentroids } from './train-centroids.ts';
import { WorkSteps } from './work-steps.ts';

/**
 * With 20 and with 50 iterations, 24 seeds on MovieLens-100K gave the same cross-entropy
 * (docs/decisions/clustering-speed.md).
 */
const ITERATIONS = 20;

/** Options of a clustering. */
export interface ClusterOptions {
  /** True adds a new helper table (CCE); false drops the helper table for good (one-step CQR). Default true. */
  helper?: boolean;
  /** Iterations of k-means; default 20. */
  iterations?: number;
  /** The optimizer whose state for the codebook is reset, because the rows get another meaning. */
  optimizer?: SparseOptimizer;
  /** Called with the share done, in [0, 1]. */
  onProgress?: ((share: number) => void) | undefined;
  /** Interrupts; the table stays as it was. */
  signal?: AbortSignal | undefined;
}

const checkOptions = optionsCheck<ClusterOptions>('cluster', {
  helper: BOOLEAN,
  iterations: NUMBER,
  optimizer: objectWith('an optimizer', 'step', 'resetState'),
  onProgress: FUNCTION,
  signal: SIGNAL,
});

/**
 * Cluster a table; resolves to the health of the new clustering.
 *
 * @throws {DivergedError} when a vector is NaN or infinite
 * @throws {AbortedError} when the signal is raised
 * @throws {StateError} when an earlier clustering dropped the helper table, no id was in `minCount` batches, or the
 * table is in use
 */
export async function cluster(table: Cqr, options: ClusterOptions = {}): Promise<ClusterHealth> {
  checkArgument('table', table, objectWith('a table of the method cqr', 'codebook', 'takePointers'));
  return exclusively('cluster', [table], () => clusterLocked(table, options));
}

/** `cluster` for a caller that already holds the table's lock. */
export async function clusterLocked(table: Cqr, options: ClusterOptions): Promise<ClusterHealth> {
  const { helper = true, iterations = ITERATIONS, optimizer, onProgress, signal } = checkOptions(options);
  checkInteger('iterations', iterations, 1);
  const { columns, codebook } = table;
  const { runtime } = codebook;
  let learned = table.idsToLearn();
  const chosen = learned?.ids();
  const count = chosen?.length ?? table.vocabularySize;
  const random = new Generator(table.seed).fork('cluster', table.clusterings);
  const steps = new WorkSteps('cluster', columns * iterations + Math.ceil(count / BLOCK_IDS), { onProgress, signal });
  const what = `cluster ${table.clusterings + 1}`;
  const trained: TableCentroids[] = [];
  let pointers: Block | undefined;
  try {
    const clusters = table.clustersFor(helper, count);
    const numbers = sampleIds(count, clusters, random.fork('ids'));
    const ids = chosen ? numbers.map((number) => chosen[number]!) : numbers;
    for (let column = 0; column < columns; column++) {
      const slice = finiteColumn(table, ids, { index: column, of: columns }, runtime, what);
      try {
        const how = { clusters, iterations, initialization: 'random', random: random.fork('k-means', column) } as const;
        const onStep = (): Promise<void> => steps.step(slice.rows * slice.dimensions * clusters);
        trained.push(await trainCentroids(slice, { ...how, onStep }));
      } finally {
        slice.free();
      }
      steps.reach((column + 1) * iterations);
    }
    pointers = runtime.heap.allocate(2 * count * columns);
    let change = 0;
    for (let first = 0; first < count; first += BLOCK_IDS) {
      const length = Math.min(BLOCK_IDS, count - first);
      const block = chosen?.subarray(first, first + length) ?? Int32Array.from({ length }, (_, i) => first + i);
      change += assignBlock(table, trained, block, first, pointers);
      await steps.step(length * table.dimensions * clusters);
    }
    table.adopt({ learned, pointers, centroids: trained.map(({ matrix }) => matrix), helper });
    pointers = undefined;
    learned = undefined;
    optimizer?.resetState(codebook);
    return clusterHealth(table.pointers!, columns, table.rowsPerTable, change / count);
  } finally {
    pointers?.free();
    learned?.free();
    for (const each of trained) each.free();
  }
}

/** Assign a block of ids, from number `first` on, to their nearest centroids; returns Σ |vector − centroids|². */
function assignBlock(
  table: Cqr,
  trained: readonly TableCentroids[],
  ids: Int32Array,
  first: number,
  pointers: Block,
): number {
  const { columns, codebook } = table;
  const { runtime } = codebook;
  const count = ids.length;
  const vectors = finiteVectors(table, ids, runtime, `cluster ${table.clusterings + 1}`);
  const labels = runtime.heap.allocate(4 * count);
  const scores = runtime.heap.allocate(4 * count);
  const out = new Uint16Array(
    runtime.heap.memory.memory.buffer,
    pointers.offset + 2 * first * columns,
    count * columns,
  );
  let change = 0;
  trained.forEach((centroids, column) => {
    const slice = sliceColumn(vectors, column, columns);
    centroids.assign(slice.offset, count, labels, scores);
    const [label, score, data] = [labels.integers(count), scores.floats(count), slice.data];
    const width = slice.dimensions;
    for (let i = 0; i < count; i++) {
      out[i * columns + column] = label[i]!;
      let square = 0;
      for (let t = 0; t < width; t++) square += data[i * width + t]! ** 2;
      // |x − c|² = |x|² − 2(⟨x, c⟩ − |c|²/2); rounding may leave it a little below 0.
      change += Math.max(0, square - 2 * score[i]!);
    }
    slice.free();
  });
  for (const block of [vectors, labels, scores]) block.free();
  return change;
}
