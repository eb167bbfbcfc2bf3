/** Opens a file of vectors. `.npy` is recognised by its first bytes, the other formats by the ending of the name. */
import { type CandidateBatch, DataError } from 'shortlist';
import { openBytes, readHead } from '../bytes/file-bytes.ts';
import type { VectorFile, VectorRequest } from './contract.ts';
import { NPY_MAGIC, npyVectors } from './npy.ts';
import { isRawVectors, rawVectors } from './raw-vectors.ts';

/**
 * Opens a file of vectors.
 *
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when the file has another format, is damaged, or has no row
 */
export async function openVectors(path: string): Promise<VectorFile> {
  await openBytes(path);
  const head = Buffer.from(await readHead(path, NPY_MAGIC.length)).toString('latin1');
  if (head !== NPY_MAGIC && !isRawVectors(path)) {
    throw new DataError(
      `${path}: expected vectors (.npy, .fvecs, .bvecs, .ivecs, .fbin, .u8bin, .i8bin, .bin), got a file of another format`,
    );
  }
  const vectors = head === NPY_MAGIC ? await npyVectors(path) : await rawVectors(path);
  if (vectors.rows === 0) throw new DataError(`${path}: expected vectors, got none`);
  return vectors;
}

/**
 * Vectors as a data set for `indexFromDataset` of an index. They are read in batches, again for each call.
 *
 * @param identifiers one per row, '' for rows to leave out; default: row numbers
 */
export function vectorDataset(
  file: VectorFile,
  identifiers?: readonly string[],
  request: VectorRequest = {},
): () => AsyncGenerator<CandidateBatch<string>> {
  return async function* batches() {
    for await (const { firstRow, rows, data } of file.batches(request)) {
      if (identifiers === undefined) yield { data, dimensions: file.dimensions };
      else yield named(identifiers.slice(firstRow, firstRow + rows), data, file.dimensions);
    }
  };
}

/** The rows that have an identifier, with their identifiers. */
function named(identifiers: readonly string[], data: Float32Array, dimensions: number): CandidateBatch<string> {
  const kept = identifiers.filter((identifier) => identifier !== '');
  if (kept.length === identifiers.length) return [identifiers, { data, dimensions }];
  let row = 0;
  identifiers.forEach((identifier, i) => {
    if (identifier !== '') data.copyWithin(row++ * dimensions, i * dimensions, (i + 1) * dimensions);
  });
  return [kept, { data: data.subarray(0, row * dimensions), dimensions }];
}
