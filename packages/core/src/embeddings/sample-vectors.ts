/** Reads the vectors of some ids for k-means, so that the whole table is never in memory as vectors. */
import { DivergedError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import { sliceColumn } from './column-slices.ts';
import type { EmbeddingTable } from './contract.ts';

/** Sampled ids per centroid: FAISS's `max_points_per_centroid`, which the CCE paper uses. */
const SAMPLE_PER_CLUSTER = 256;
/**
 * Sampled ids at most: with 1,024 centroids it changes nothing, with 5,000 it leaves 52 each, above the 39 at which FAISS
 * begins to warn, and keeps time and memory of k-means from growing with the square of k.
 */
const SAMPLE_MAX = 2 ** 18;
/** Ids whose vectors are held at once: 65,536 rows of 32 floats are 8 MB. */
export const BLOCK_IDS = 65_536;

/** Ids to train `clusters` centroids on, ascending: one, at random, of each of as many equal runs of ids. */
export function sampleIds(vocabularySize: number, clusters: number, random: Generator): Int32Array {
  const size = Math.min(vocabularySize, SAMPLE_PER_CLUSTER * clusters, Math.max(SAMPLE_MAX, clusters));
  const run = vocabularySize / size;
  return Int32Array.from({ length: size }, (_, i) => {
    const first = Math.floor(i * run);
    return first + random.below(Math.floor((i + 1) * run) - first);
  });
}

/**
 * Vectors [ids, d].
 *
 * @throws {DivergedError} when one is NaN or infinite; `what` begins the message
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
