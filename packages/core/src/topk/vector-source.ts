/**
 * Reads the vectors that callers pass, in any accepted form, as float32 rows. It copies a few rows at a time, never all
 * of them.
 */
import { shown } from '../checks/numbers.ts';
import { ShapeError } from '../errors/errors.ts';
import { Matrix, type VectorsLike } from '../vectors/matrix.ts';
import type { CandidateBatch, Identifier } from './contract.ts';

/** Rows of numbers that can be copied piece by piece. */
export interface VectorSource {
  readonly rows: number;
  readonly dimensions: number;
  /** Rows [begin, end) row-major to the start of `to`. */
  copy(begin: number, end: number, to: Float32Array): void;
}

/** True for an array of numbers of any kind: a row. */
export function isRow(value: unknown): value is ArrayLike<number> {
  if (Array.isArray(value)) return value.length === 0 || typeof value[0] === 'number';
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
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
    if (!Number.isInteger(dimensions) || dimensions < 1 || data.length % dimensions !== 0) {
      throw new ShapeError(`${name}: expected whole rows of ${dimensions} dimensions, got ${data.length} numbers`);
    }
    return flat(data, dimensions);
  }
  if (!Array.isArray(vectors)) throw new ShapeError(`${name}: expected rows of numbers, got ${shown(vectors)}`);
  const rows: readonly ArrayLike<number>[] = vectors;
  const dimensions = rows[0]?.length ?? 0;
  rows.forEach((row, i) => {
    if (!isRow(row)) throw new ShapeError(`${name}: expected rows of numbers (2-D), got ${shown(row)} in row ${i}`);
    if (row.length !== dimensions) {
      throw new ShapeError(`${name}: expected ${dimensions} dimensions in every row, got ${row.length} in row ${i}`);
    }
  });
  return {
    rows: rows.length,
    dimensions,
    copy(begin, end, to) {
      for (let row = begin; row < end; row++) to.set(rows[row]!, (row - begin) * dimensions);
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
