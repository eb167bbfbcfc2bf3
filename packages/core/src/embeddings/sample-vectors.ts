/** Vectors of a sample of ids: what k-means is trained on, so that a table is never materialised whole. */
import { DivergedError } from '../errors/errors.ts';
import type { Runtime } from '../parallel/runtime.ts';
import type { Generator } from '../random/generator.ts';
import { Matrix } from '../vectors/matrix.ts';
import type { EmbeddingTable } from './contract.ts';

/** Sampled ids a centroid: FAISS's `max_points_per_centroid`, which the CCE paper uses. */
export const SAMPLE_PER_CLUSTER = 256;

/**
 * Vectors [min(size, V), d] of distinct ids, ascending.
 *
 * @throws {DivergedError} when one is NaN or infinite; `what` begins the message
 */
export function sampleVectors(
  table: EmbeddingTable,
  size: number,
  random: Generator,
  runtime: Runtime,
  what: string,
): Matrix {
  const { vocabularySize, dimensions } = table;
  const ids =
    size >= vocabularySize
      ? Int32Array.from({ length: vocabularySize }, (_, id) => id)
      : random.permutation(vocabularySize).slice(0, size).sort();
  const vectors = new Matrix(ids.length, dimensions, runtime);
  table.rows(ids, vectors);
  const bad = runtime.kernels.findNotFinite(vectors.offset, ids.length * dimensions);
  if (bad < 0) return vectors;
  vectors.free();
  const where = `id ${ids[Math.floor(bad / dimensions)]}, dimension ${bad % dimensions}`;
  throw new DivergedError(`${what}: expected finite vectors, got another at ${where}`);
}
