/**
 * Residual quantization of a trained table: k-means of the vectors, then of their residuals, and so on.
 *
 *   vector(i) = C_1[p_1(i)] + … + C_M[p_M(i)],   centroids of d floats, each stage greedy
 *
 * Source: Chen, Guan, Wang, "Approximate nearest neighbor search by residual vector quantization", Sensors 2010. It
 * needs the full trained table, as product quantization does. Ids are processed in blocks.
 */

import { checkInteger } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import type { Block } from '../memory/heap.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { BUDGET, type Budget } from './budget.ts';
import type { EmbeddingTable } from './contract.ts';
import {
  affordCentroids,
  QUANTIZE,
  QuantizedTable,
  type QuantizeOptions,
  quantizeSettings,
  runtimeOf,
} from './quantized.ts';
import { BLOCK_IDS, finiteVectors, sampleIds } from './sample-vectors.ts';
import { exclusively } from './table-lock.ts';
import { type TableCentroids, trainCentroids } from './train-centroids.ts';
import { WorkSteps } from './work-steps.ts';

/** Options of residual quantization. */
export type ResidualOptions = Budget &
  QuantizeOptions & {
    /** Stages, M; default 4. */
    stages?: number;
  };

const checkOptions = optionsCheck<ResidualOptions>('quantizeResidual', { ...BUDGET, ...QUANTIZE, stages: NUMBER });

/**
 * Quantize a trained table, which does not change.
 *
 * @throws {OptionError} when the budget is too small or stages out of range
 * @throws {DivergedError} when a sampled vector is NaN or infinite
 * @throws {AbortedError} when the signal is raised
 * @throws {StateError} when the table is in use
 */
export async function quantizeResidual(table: EmbeddingTable, options: ResidualOptions): Promise<QuantizedTable> {
  checkOptions(options);
  return exclusively('quantizeResidual', [table], () => quantize(table, options));
}

async function quantize(table: EmbeddingTable, options: ResidualOptions): Promise<QuantizedTable> {
  const { vocabularySize, dimensions } = table;
  const { iterations, seed } = quantizeSettings(options);
  const stages = checkInteger('stages', options.stages ?? 4, 1, 64);
  const cost = { rowParameters: stages * dimensions, terms: stages };
  const clusters = affordCentroids('residual', options, table, cost);
  const runtime = runtimeOf(table.trained());
  const random = new Generator(seed).fork('residual');
  const steps = new WorkSteps('quantize', stages * iterations + Math.ceil(vocabularySize / BLOCK_IDS), options);
  const sampled = sampleIds(vocabularySize, clusters, random.fork('ids'));
  const sample = finiteVectors(table, sampled, runtime, 'quantize');
  const trained: TableCentroids[] = [];
  const pointers = runtime.heap.allocate(2 * vocabularySize * stages);
  const scratch: Block[] = [];
  try {
    const size = Math.max(sample.rows, Math.min(BLOCK_IDS, vocabularySize));
    const [labels, scores] = [runtime.heap.allocate(4 * size), runtime.heap.allocate(4 * size)];
    scratch.push(labels, scores);
    for (let stage = 0; stage < stages; stage++) {
      const how = { clusters, iterations, initialization: 'k-means++', random: random.fork('k-means', stage) } as const;
      const onStep = (): Promise<void> => steps.step(sample.rows * dimensions * clusters);
      const centroids = await trainCentroids(sample, { ...how, onStep });
      trained.push(centroids);
      steps.reach((stage + 1) * iterations);
      takeResidual(sample, centroids, labels, scores);
    }
    for (let first = 0; first < vocabularySize; first += BLOCK_IDS) {
      const ids = Int32Array.from({ length: Math.min(BLOCK_IDS, vocabularySize - first) }, (_, i) => first + i);
      const vectors = finiteVectors(table, ids, runtime, 'quantize');
      trained.forEach((centroids, stage) => {
        takeResidual(vectors, centroids, labels, scores);
        const out = new Uint16Array(runtime.heap.memory.memory.buffer, pointers.offset, vocabularySize * stages);
        labels.integers(ids.length).forEach((label, i) => {
          out[(first + i) * stages + stage] = label;
        });
      });
      vectors.free();
      await steps.step(ids.length * dimensions * clusters * stages);
    }
    const codebook = new Matrix(stages * clusters, dimensions, runtime);
    trained.forEach(({ matrix }, stage) => {
      codebook.data.set(matrix.data, stage * clusters * dimensions);
    });
    return new QuantizedTable({ method: 'residual', vocabularySize, columns: 1, sums: stages }, codebook, pointers);
  } catch (error) {
    pointers.free();
    throw error;
  } finally {
    sample.free();
    for (const each of [...trained, ...scratch]) each.free();
  }
}

/** Subtract from each vector its nearest centroid, whose number is written to `labels`. */
function takeResidual(vectors: Matrix, centroids: TableCentroids, labels: Block, scores: Block): void {
  const d = vectors.dimensions;
  centroids.assign(vectors.offset, vectors.rows, labels, scores);
  const [data, centers] = [vectors.data, centroids.matrix.data];
  labels.integers(vectors.rows).forEach((label, i) => {
    for (let t = 0; t < d; t++) data[i * d + t] = data[i * d + t]! - centers[label * d + t]!;
  });
}
