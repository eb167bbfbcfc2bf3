/**
 * Reads the vectors that callers pass, in any accepted form, as float32 rows. It copies a few rows at a time, never all
 * of them.
 */
import { ShapeError } from '../errors/errors.ts';
import { Matrix, type VectorsLike } from '../vectors/matrix.ts';
import { checkWholeRows, isRow, widthOfRows } from '../vectors/vector-rows.ts';
import type { CandidateBatch, Identifier } from './contract.ts';

/** Rows of numbers that can be copied piece by piece. */
export interface VectorSource {
  readonly rows: number;
  readonly dimensions: number;
  /** Rows [begin, end) row-major to the start of `to`. */
  copy(begin: number, end: number, to: Float32Array): void;
}

/**
 * A source of any vectors a caller may pass.
 *
 * @param name of the vectors in messages
 * @throws {ShapeError} when they are not rows of one width
 */
export function vectorSource(name: string, vectors: VectorsLike): VectorSource {
  if (vectors instanceof Matrix) return flat(vectors.data, vectors.dimensions);
  if (typeof vectors === 'object' && vectors !== null && 'data' in vectors) {
    const { data, dimensions } = vectors;
    checkWholeRows(name, data, dimensions);
    return flat(data, dimensions);
  }
  const dimensions = widthOfRows(name, vectors);
  return {
    rows: vectors.length,
    dimensions,
    copy(begin, end, to) {
      for (let row = begin; row < end; row++) to.set(vectors[row]!, (row - begin) * dimensions);
    },
  };
}

function flat(data: Float32Array, dimensions: number): VectorSource {
  return {
    rows: dimensions === 0 ? 0 : data.length / dimensions,
    dimensions,
    copy(begin, end, to) {
      to.set(data.subarray(begin * dimensions, end * dimensions));
    },
  };
}

/** A copy of a source: the caller may change its vectors afterwards. */
export function copied(source: VectorSource): VectorSource {
  const data = new Float32Array(source.rows * source.dimensions);
  source.copy(0, source.rows, data);
  return flat(data, source.dimensions);
}

/**
 * Split a batch of a data set into identifiers and vectors.
 *
 * A batch is vectors, or the pair [identifiers, vectors]. A pair is told from two rows of vectors by its second
 * element, which holds rows and not numbers.
 *
 * @throws {ShapeError} when it is neither
 */
export function splitBatch<I extends Identifier>(
  batch: CandidateBatch<I>,
): { identifiers: readonly I[] | undefined; source: VectorSource } {
  if (Array.isArray(batch) && (!batch.every(isRow) || isEmptyPair(batch))) {
    const [identifiers, vectors] = batch as readonly unknown[];
    if (batch.length !== 2 || !Array.isArray(identifiers) || typeof vectors !== 'object' || vectors === null) {
      throw new ShapeError(
        'dataset: expected candidate embeddings or pairs [identifiers, candidate embeddings], got ' +
          `an array of ${batch.length} that is neither`,
      );
    }
    return { identifiers, source: vectorSource('candidates', vectors as VectorsLike) };
  }
  return { identifiers: undefined, source: vectorSource('candidates', batch as VectorsLike) };
}

/** Two empty arrays: no identifiers for no candidates. */
function isEmptyPair(batch: readonly ArrayLike<unknown>[]): boolean {
  return batch.length === 2 && batch.every((part) => part.length === 0);
}
