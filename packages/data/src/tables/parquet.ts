/** Reads Parquet with hyparquet and all its compressors: one row group at a time, and only the requested columns. */
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { AbortedError, DataError } from 'shortlist';
import { reasonOf } from '../bytes/damage.ts';
import type { FileBytes } from '../bytes/file-bytes.ts';
import { type Cells, cellsOf } from '../columns/cell.ts';
import type { BatchRequest, Table, TableBatch } from './contract.ts';

/**
 * A Parquet file as a table.
 *
 * @throws {DataError} when its footer cannot be read
 */
export async function parquetTable({ path, sizeBytes }: FileBytes): Promise<Table> {
  const file = await asyncBufferFromFile(path);
  let metadata: FileMetaData;
  let columns: string[];
  try {
    metadata = await parquetMetadataAsync(file);
    columns = parquetSchema(metadata).children.map(({ element }) => element.name);
  } catch (error) {
    throw new DataError(`${path}: expected a Parquet file, got one whose footer is damaged${reasonOf(error)}`);
  }
  const rows = Number(metadata.num_rows);
  const inGroups = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (rows !== inGroups) {
    throw new DataError(
      `${path}: expected ${rows} rows, as the footer says, got ${inGroups} in the row groups; the footer is damaged`,
    );
  }
  return {
    path,
    format: 'parquet',
    description: 'Parquet',
    columns,
    hasNames: true,
    sizeBytes,
    rows,
    batches: (request = {}) => batches(path, file, metadata, columns, request),
  };
}

async function* batches(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  names: readonly string[],
  request: BatchRequest,
): AsyncGenerator<TableBatch> {
  const { columns = names.map((_, i) => i), progress, signal } = request;
  const wanted = columns.map((column) => names[column]!);
  let firstRow = 0;
  for (const [group, { num_rows }] of metadata.row_groups.entries()) {
    if (signal?.aborted) throw new AbortedError(`${path}: interrupted`, { cause: signal.reason });
    const rows = Number(num_rows);
    const first = firstRow;
    firstRow += rows;
    if (rows === 0) continue;
    const cells = await readGroup(path, file, metadata, wanted, first, rows);
    if (progress) progress.bytesRead = Math.round((file.byteLength * (group + 1)) / metadata.row_groups.length);
    yield { rows, columns: cells, lineOf: (row) => first + row + 1 };
  }
}

async function readGroup(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  names: readonly string[],
  firstRow: number,
  rows: number,
): Promise<Cells[]> {
  const pieces = new Map<string, { rowStart: number; data: ArrayLike<unknown> }[]>(names.map((name) => [name, []]));
  const columns = [...pieces.keys()];
  const range = { rowStart: firstRow, rowEnd: firstRow + rows };
  try {
    await parquetRead({
      ...{ file, metadata, columns, compressors, ...range },
      onChunk: ({ columnName, columnData, rowStart }) => pieces.get(columnName)?.push({ rowStart, data: columnData }),
    });
  } catch (error) {
    const where = `rows ${firstRow + 1} to ${firstRow + rows}`;
    throw new DataError(`${path}: ${where} cannot be read, the file may be damaged${reasonOf(error)}`);
  }
  return names.map((name) => joined(pieces.get(name)!, rows));
}

/** Joins the pieces of a column. */
function joined(pieces: { rowStart: number; data: ArrayLike<unknown> }[], rows: number): Cells {
  const [only] = pieces;
  if (pieces.length === 1 && only!.data.length === rows) return cellsOf(only!.data);
  const values = new Array<unknown>(rows).fill(null);
  let at = 0;
  for (const { data } of pieces.sort((a, b) => a.rowStart - b.rowStart)) {
    for (let i = 0; i < data.length; i++) values[at++] = data[i];
  }
  return cellsOf(values);
}
