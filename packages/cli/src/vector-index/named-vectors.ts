/** Reads all vectors of a file into memory, except those without an identifier. */
import type { VectorFile } from '@shortlist/data';
import { DataError } from 'shortlist';
import type { Terminal } from '../terminal/terminal.ts';

/** Vectors and their identifiers. */
export interface NamedVectors {
  readonly rows: number;
  readonly dimensions: number;
  /** [rows, dimensions] */
  readonly data: Float32Array;
  /** [rows] from the file of identifiers, or row numbers from 0. */
  readonly identifiers: readonly string[];
}

/** A count that is made while vectors are read. */
export interface CountedZeros {
  /** Vectors of zeros alone, which have no direction. */
  readonly zeros: number;
}

/**
 * Read vectors and give them their identifiers.
 *
 * @param identifiers one per row of the file, '' for rows to leave out; undefined for row numbers
 * @throws {DataError} when all rows are left out, or a number is not finite
 */
export async function readNamedVectors(
  file: VectorFile,
  identifiers: readonly string[] | undefined,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<NamedVectors & CountedZeros> {
  const { dimensions } = file;
  const kept = namesOf(file, identifiers);
  const data = new Float32Array(kept.length * dimensions);
  let at = 0;
  let zeros = 0;
  for await (const batch of namedBatches(file, identifiers, signal)) {
    data.set(batch.data, at);
    at += batch.data.length;
    zeros += batch.zeros;
    terminal.progress(batch.endRow / file.rows, 'reading vectors');
  }
  terminal.clear();
  return { rows: kept.length, dimensions, data, identifiers: kept, zeros };
}

/** The number of rows that are not left out. @throws {DataError} when all rows are left out */
export function countNamed(file: VectorFile, identifiers: readonly string[] | undefined): number {
  const count = identifiers?.reduce((sum, identifier) => sum + Number(identifier !== ''), 0) ?? file.rows;
  if (count === 0) throw new DataError(`${file.path}: expected vectors with identifiers, got none`);
  return count;
}

/** The identifiers of the rows that are not left out. @throws {DataError} when all rows are left out */
export function namesOf(file: VectorFile, identifiers: readonly string[] | undefined): readonly string[] {
  countNamed(file, identifiers);
  return (
    identifiers?.filter((identifier) => identifier !== '') ?? Array.from({ length: file.rows }, (_, row) => String(row))
  );
}

/** Rows that are not left out, with their identifiers. */
export interface NamedBatch extends CountedZeros {
  readonly names: string[];
  /** [names, dimensions] */
  readonly data: Float32Array;
  /** The number of rows of the file that were read so far. */
  readonly endRow: number;
}

/** Read the rows of a file in batches, without those that are left out. @throws {DataError} when a number is not finite */
export async function* namedBatches(
  file: VectorFile,
  identifiers: readonly string[] | undefined,
  signal: AbortSignal,
): AsyncGenerator<NamedBatch> {
  const { dimensions } = file;
  for await (const { firstRow, rows, data: part } of file.batches({ signal })) {
    const names: string[] = [];
    const data = new Float32Array(rows * dimensions);
    let zeros = 0;
    for (let row = 0; row < rows; row++) {
      const name = identifiers ? identifiers[firstRow + row]! : String(firstRow + row);
      if (name === '') continue;
      const vector = part.subarray(row * dimensions, (row + 1) * dimensions);
      if (!vector.every(Number.isFinite)) {
        throw new DataError(`${file.path}: expected finite numbers, got NaN or an infinity in row ${firstRow + row}`);
      }
      zeros += Number(vector.every((x) => x === 0));
      data.set(vector, names.length * dimensions);
      names.push(name);
    }
    yield { names, data: data.subarray(0, names.length * dimensions), zeros, endRow: firstRow + rows };
  }
}
