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
): Promise<NamedVectors> {
  const { dimensions } = file;
  const kept =
    identifiers?.filter((identifier) => identifier !== '') ??
    Array.from({ length: file.rows }, (_, row) => String(row));
  if (kept.length === 0) throw new DataError(`${file.path}: expected vectors with identifiers, got none`);
  const data = new Float32Array(kept.length * dimensions);
  let at = 0;
  for await (const { firstRow, rows, data: part } of file.batches({ signal })) {
    for (let row = 0; row < rows; row++) {
      if (identifiers?.[firstRow + row] === '') continue;
      const vector = part.subarray(row * dimensions, (row + 1) * dimensions);
      if (!vector.every(Number.isFinite)) {
        throw new DataError(`${file.path}: expected finite numbers, got NaN or an infinity in row ${firstRow + row}`);
      }
      data.set(vector, at);
      at += dimensions;
    }
    terminal.progress((firstRow + rows) / file.rows, 'reading vectors');
  }
  terminal.clear();
  return { rows: kept.length, dimensions, data, identifiers: kept };
}
