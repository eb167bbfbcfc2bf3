/**
 * Product quantization of a trained table: k-means of each column, and for every id and column the nearest centroid.
 *
 *   vector(i) = [ C_1[p_1(i)] | … | C_c[p_c(i)] ],   centroids of d/c floats
 *
 * Source: Jégou, Douze, Schmid, "Product quantization for nearest neighbor search", TPAMI 2011. It needs the full
 * trained table, unlike CQR. Ids are processed in blocks, without a second copy of the table.
 */
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { BUDGET, type Budget, sliceWidth } from './budget.ts';
import { sliceColumn } from './column-slices.ts';
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

/** Options of product quantization. */
export type ProductOptions = Budget &
  QuantizeOptions & {
    /** Columns; a divisor of the dimensions; default 4. */
    columns?: number;
  };

const checkOptions = optionsCheck<ProductOptions>('quantizeProduct', { ...BUDGET, ...QUANTIZE, columns: NUMBER });

/**
 * Quantize a trained table, which does not change.
 *
 * @throws {OptionError} when the budget is too small or columns do not divide the dimensions
 * @throws {DivergedError} when a sampled vector is NaN or infinite
 * @throws {AbortedError} when the signal is raised
 * @throws {StateError} when the table is in use
 */
export async function quantizeProduct(table: EmbeddingTable, options: ProductOptions): Promise<QuantizedTable> {
  checkOptions(options);
  return exclusively('quantizeProduct', [table], () => quantize(table, options));
}

async function quantize(table: EmbeddingTable, options: ProductOptions): Promise<QuantizedTable> {
  const { vocabularySize, dimensions } = table;
  const { columns = 4 } = options;
  const { iterations, seed } = quantizeSettings(options);
  const width = sliceWidth(dimensions, columns);
  const cost = { rowParameters: dimensions, terms: columns };
  const clusters = affordCentroids('product', options, table, cost);
  const runtime = runtimeOf(table.trained());
  const random = new Generator(seed).fork('product');
  const steps = new WorkSteps('quantize', columns * iterations + Math.ceil(vocabularySize / BLOCK_IDS), options);
  const sampled = sampleIds(vocabularySize, clusters, random.fork('ids'));
  const sample = finiteVectors(table, sampled, runtime, 'quantize');
  const trained: TableCentroids[] = [];
  const pointers = runtime.heap.allocate(2 * vocabularySize * columns);
  try {
    for (let column = 0; column < columns; column++) {
      const slice = sliceColumn(sample, column, columns);
      const how = {
        clusters,
        iterations,
        initialization: 'k-means++',
        random: random.fork('k-means', column),
      } as const;
      const onStep = (): Promise<void> => steps.step(slice.rows * width * clusters);
      try {
        trained.push(await trainCentroids(slice, { ...how, onStep }));
      } finally {
        slice.free();
      }
      steps.reach((column + 1) * iterations);
    }
    for (let first = 0; first < vocabularySize; first += BLOCK_IDS) {
      const ids = Int32Array.from({ length: Math.min(BLOCK_IDS, vocabularySize - first) }, (_, i) => first + i);
      const vectors = finiteVectors(table, ids, runtime, 'quantize');
      const [labels, scores] = [runtime.heap.allocate(4 * ids.length), runtime.heap.allocate(4 * ids.length)];
      trained.forEach((centroids, column) => {
        const slice = sliceColumn(vectors, column, columns);
        centroids.assign(slice.offset, ids.length, labels, scores);
        const out = new Uint16Array(runtime.heap.memory.memory.buffer, pointers.offset, vocabularySize * columns);
        labels.integers(ids.length).forEach((label, i) => {
          out[(first + i) * columns + column] = label;
        });
        slice.free();
      });
      for (const block of [vectors, labels, scores]) block.free();
      await steps.step(ids.length * dimensions * clusters);
    }
    const codebook = new Matrix(columns * clusters, width, runtime);
    trained.forEach(({ matrix }, column) => {
      codebook.data.set(matrix.data, column * clusters * width);
    });
    return new QuantizedTable({ method: 'product', vocabularySize, columns, sums: 1 }, codebook, pointers);
  } catch (error) {
    pointers.free();
    throw error;
  } finally {
    sample.free();
    for (const each of trained) each.free();
  }
}
