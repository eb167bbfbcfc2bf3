/**
 * Vectors in a column of lists of numbers of a Parquet file, and identifiers in another column.
 *
 * Limit: a row group is decoded as a whole, so memory holds the vectors of one.
 */
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { AbortedError, DataError } from 'shortlist';
import { openBytes } from '../bytes/file-bytes.ts';
import { type Cell, numberOf, textOf } from '../columns/cell.ts';
import type { Table } from '../tables/contract.ts';
import { parquetTable } from '../tables/parquet.ts';
import {
  ROWS_PER_BATCH,
  type VectorBatch,
  type VectorColumns,
  type VectorFile,
  type VectorRequest,
} from './contract.ts';

/** The first bytes of a Parquet file. */
export const PARQUET_MAGIC = 'PAR1';
/** The names of columns that are taken as identifiers without being named. */
const IDENTIFIER_NAME = /^(id|.*_id)$/i;

/**
 * The vectors of a Parquet file.
 *
 * @throws {DataError} when it has no column of lists of numbers, or several and none is named; when a named column does not exist
 */
export async function parquetVectors(path: string, columns: VectorColumns): Promise<VectorFile> {
  const table = await parquetTable(await openBytes(path));
  const rows = table.rows ?? 0;
  if (rows === 0) throw new DataError(`${path}: expected vectors, got none`);
  const first = await firstRow(path);
  const vectors = vectorColumn(table, first, columns.vectorColumn);
  const identifiers = identifierColumn(table, vectors, columns.identifierColumn);
  const name = table.columns[vectors]!;
  const vector = first.get(name);
  if (!isNumbers(vector))
    throw new DataError(`${path}: expected lists of numbers in the column ${name}, got none in row 0`);
  const dimensions = vector.length;
  const named = identifiers === undefined ? '' : `, identifiers of the column ${table.columns[identifiers]}`;
  return {
    path,
    description: `Parquet, column ${name}${named}`,
    rows,
    dimensions,
    batches: (request) => batches(table, vectors, dimensions, request),
    ...(identifiers !== undefined && { identifiers: (signal) => texts(table, identifiers, signal) }),
  };
}

/** The cells of the first row, by the name of their column. */
async function firstRow(path: string): Promise<ReadonlyMap<string, unknown>> {
  const file = await asyncBufferFromFile(path);
  try {
    const [row = {}] = await parquetReadObjects({ file, compressors, rowStart: 0, rowEnd: 1 });
    return new Map(Object.entries(row));
  } catch (error) {
    throw new DataError(`${path}: its first row cannot be read, the file may be damaged: ${(error as Error).message}`);
  }
}

function vectorColumn(table: Table, first: ReadonlyMap<string, unknown>, wanted: string | undefined): number {
  const { path, columns } = table;
  if (wanted !== undefined) return columnOf(table, wanted);
  const lists = columns.filter((name) => isNumbers(first.get(name)));
  if (lists.length === 1) return columns.indexOf(lists[0]!);
  const found = lists.length === 0 ? `none among ${columns.join(', ')}` : lists.join(', ');
  throw new DataError(`${path}: expected one column of vectors, or the name of one, got ${found}`);
}

function identifierColumn(table: Table, vectors: number, wanted: string | undefined): number | undefined {
  if (wanted !== undefined) return columnOf(table, wanted);
  const named = table.columns.flatMap((name, i) => (i !== vectors && IDENTIFIER_NAME.test(name) ? [i] : []));
  return named.length === 1 ? named[0] : undefined;
}

function columnOf({ path, columns }: Table, name: string): number {
  const at = columns.indexOf(name);
  if (at < 0) throw new DataError(`${path}: expected one of the columns ${columns.join(', ')}, got ${name}`);
  return at;
}

function isNumbers(cell: unknown): cell is ArrayLike<number> {
  if (ArrayBuffer.isView(cell)) return cell.byteLength > 0;
  return Array.isArray(cell) && cell.length > 0 && cell.every((item) => typeof item === 'number');
}

async function* batches(
  table: Table,
  column: number,
  dimensions: number,
  { rowsPerBatch = ROWS_PER_BATCH, signal }: VectorRequest = {},
): AsyncGenerator<VectorBatch> {
  const { path } = table;
  let firstRow = 0;
  for await (const { rows, columns } of table.batches({ columns: [column], signal })) {
    for (let begin = 0; begin < rows; begin += rowsPerBatch) {
      if (signal?.aborted) throw new AbortedError(`${path}: interrupted`, { cause: signal.reason });
      const count = Math.min(rowsPerBatch, rows - begin);
      const data = new Float32Array(count * dimensions);
      for (let i = 0; i < count; i++) {
        const vector = columns[0]![begin + i] as ArrayLike<Cell> | null;
        if (vector?.length !== dimensions) {
          throw new DataError(
            `${path}: expected ${dimensions} dimensions in every row, got ${vector?.length ?? 'no vector'} in row ${firstRow + i}`,
          );
        }
        for (let t = 0; t < dimensions; t++) data[i * dimensions + t] = numberOf(vector[t]!);
      }
      yield { firstRow, rows: count, data };
      firstRow += count;
    }
  }
}

async function texts(table: Table, column: number, signal: AbortSignal | undefined): Promise<string[]> {
  const all: string[] = [];
  for await (const { columns } of table.batches({ columns: [column], signal })) {
    const [cells] = columns;
    for (let row = 0; row < cells!.length; row++) all.push(textOf(cells![row]!));
  }
  return all;
}
