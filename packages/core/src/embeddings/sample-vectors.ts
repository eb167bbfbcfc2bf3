/** Reads the vectors of a sample of ids for k-means, so that the vectors of all ids are never in memory. */
import { DivergedError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { sliceColumn } from './column-slices.ts';
import type { EmbeddingTable } from './contract.ts';

/** Sampled ids per centroid: FAISS's `max_points_per_centroid`, which the CCE paper uses. */
const SAMPLE_PER_CLUSTER = 256;
/**
 * The most sampled ids, so that time and memory of k-means do not grow with the square of k. It has no effect with
 * 1,024 centroids. With 5,000 centroids 52 ids per centroid are left; FAISS warns below 39.
 */
const SAMPLE_MAX = 2 ** 18;
/** Ids whose vectors are in memory at a time: 65,536 rows of 32 floats are 8 MB. */
export const BLOCK_IDS = 65_536;

/**
 * The ids, ascending, on which `clusters` centroids are trained: the ids are divided into equal runs, and one id of
 * each run is drawn.
 */
export function sampleIds(vocabularySize: number, clusters: number, random: Generator): Int32Array {
  const size = Math.min(vocabularySize, SAMPLE_PER_CLUSTER * clusters, Math.max(SAMPLE_MAX, clusters));
  const run = vocabularySize / size;
  return Int32Array.from({ length: size }, (_, i) => {
    const first = Math.floor(i * run);
    return first + random.below(Math.floor((i + 1) * run) - first);
  });
}

/**
 * The vectors of ids: [ids, d].
 *
 * @throws {DivergedError} when a number is NaN or infinite; the message begins with `what`
 */
export function finiteVectors(table: EmbeddingTable, ids: Int32Array, runtime: Runtime, what: string): Matrix {
  const { dimensions } = table;
  const vectors = new Matrix(ids.length, dimensions, runtime);
  table.rows(ids, vectors);
  const bad = runtime.kernels.findNotFinite(vectors.offset, ids.length * dimensions);
  if (bad < 0) return vectors;
  vectors.free();
  const where = `id ${ids[Math.floor(bad / dimensions)]}, dimension ${bad % dimensions}`;
  throw new DivergedError(`${what}: expected finite vectors, got NaN or an infinity in the vector of ${where}`);
}

/** One column of the vectors of ids, [ids, d/columns], gathered in blocks; throws as `finiteVectors`. */
export function finiteColumn(
  table: EmbeddingTable,
  ids: Int32Array,
  column: { index: number; of: number },
  runtime: Runtime,
  what: string,
): Matrix {
  const whole = new Matrix(ids.length, table.dimensions / column.of, runtime);
  try {
    for (let first = 0; first < ids.length; first += BLOCK_IDS) {
      const vectors = finiteVectors(table, ids.subarray(first, first + BLOCK_IDS), runtime, what);
      const slice = sliceColumn(vectors, column.index, column.of);
      whole.data.set(slice.data, first * whole.dimensions);
      slice.free();
      vectors.free();
    }
    return whole;
  } catch (error) {
    whole.free();
    throw error;
  }
}
