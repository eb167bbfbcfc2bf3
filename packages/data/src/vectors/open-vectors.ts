/**
 * Opens a file of vectors. `.npy`, Parquet and bundles are recognised by their first bytes, the other formats by the ending of the
 * name.
 */
import { type CandidateBatch, DataError } from 'shortlist';
import {
  checkArgument,
  checkInteger,
  NUMBER,
  type OptionTypes,
  objectWith,
  optionsCheck,
  SIGNAL,
  STRING,
  WORDS,
} from 'shortlist/options';
import { openBytes, readHead } from '../bytes/file-bytes.ts';
import { BUNDLE_MAGIC, bundleVectors } from './bundle-vectors.ts';
import type { VectorColumns, VectorFile, VectorRequest } from './contract.ts';
import { NPY_MAGIC, npyVectors } from './npy.ts';
import { PARQUET_MAGIC, parquetVectors } from './parquet-vectors.ts';
import { isRawVectors, rawVectors } from './raw-vectors.ts';

/** Bytes that tell the format. */
const HEAD_BYTES = 6;

/**
 * Opens a file of vectors.
 *
 * @param columns the columns of a Parquet file
 * @throws {FileError} when the file cannot be read
 * @throws {DataError} when the file has another format, is damaged, or has no row; when columns are named of a file that has none
 */
export async function openVectors(path: string, columns: VectorColumns = {}): Promise<VectorFile> {
  const file = await recognised(path, columns);
  return {
    ...file,
    batches: (request = {}) => file.batches(checkedRequest('VectorFile.batches', request)),
    ...(file.identifiers && {
      identifiers: (signal) =>
        file.identifiers!(signal === undefined ? signal : checkArgument('signal', signal, SIGNAL)),
    }),
  };
}

async function recognised(path: string, columns: VectorColumns): Promise<VectorFile> {
  await openBytes(checkArgument('path', path, STRING));
  const head = Buffer.from(await readHead(path, HEAD_BYTES)).toString('latin1');
  if (head.startsWith(PARQUET_MAGIC)) return parquetVectors(path, columns);
  const [named] = Object.values(columns).filter((name) => name !== undefined);
  if (named !== undefined)
    throw new DataError(`${path}: expected a Parquet file with the column ${named}, got a file of another format`);
  if (head.startsWith(BUNDLE_MAGIC)) return nonEmpty(await bundleVectors(path));
  if (head.startsWith(NPY_MAGIC)) return nonEmpty(await npyVectors(path));
  if (isRawVectors(path)) return nonEmpty(await rawVectors(path));
  throw new DataError(
    `${path}: expected vectors (.npy, .fvecs, .bvecs, .ivecs, .fbin, .u8bin, .i8bin, .bin, Parquet, a bundle), got a file ` +
      'of another format',
  );
}

function nonEmpty(vectors: VectorFile): VectorFile {
  if (vectors.rows === 0) throw new DataError(`${vectors.path}: expected vectors, got none`);
  return vectors;
}

const VECTORS = objectWith('a file of vectors', 'rows', 'dimensions', 'batches');
const REQUEST: OptionTypes<VectorRequest> = { rowsPerBatch: NUMBER, signal: SIGNAL };
const checks = {
  vectorDataset: optionsCheck<VectorRequest>('vectorDataset', REQUEST),
  'VectorFile.batches': optionsCheck<VectorRequest>('VectorFile.batches', REQUEST),
};

function checkedRequest(name: keyof typeof checks, request: VectorRequest): VectorRequest {
  const { rowsPerBatch } = checks[name](request);
  if (rowsPerBatch !== undefined) checkInteger('rowsPerBatch', rowsPerBatch, 1);
  return request;
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
  checkArgument('file', file, VECTORS);
  if (identifiers !== undefined) checkArgument('identifiers', identifiers, WORDS);
  checkedRequest('vectorDataset', request);
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
