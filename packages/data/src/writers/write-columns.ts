/** Columns to a file: Parquet, CSV or JSON Lines by the ending of its name; written beside and renamed. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import Papa from 'papaparse';
import { DataError, FileError } from 'shortlist';

/** A column of one type. */
export type OutputColumn =
  | { readonly name: string; readonly type: 'text'; readonly values: readonly string[] }
  | { readonly name: string; readonly type: 'integer' | 'number'; readonly values: readonly number[] };

const PARQUET_TYPES = { text: 'STRING', integer: 'INT32', number: 'DOUBLE' } as const;
/** Formats by ending. */
export const OUTPUT_ENDINGS: readonly string[] = ['.parquet', '.csv', '.jsonl'];

/**
 * Writes columns of one length.
 *
 * @throws {DataError} when the ending is none of the formats
 * @throws {FileError} when the system refuses; what was at `path` is as it was
 */
export async function writeColumns(path: string, columns: readonly OutputColumn[]): Promise<void> {
  const content = contentOf(path, columns);
  const beside = `${path}.${process.pid}.part`;
  try {
    await writeFile(beside, content, { flush: true });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw new FileError(`${path}: cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

function contentOf(path: string, columns: readonly OutputColumn[]): string | Uint8Array {
  const ending = extname(path).toLowerCase();
  if (ending === '.parquet') {
    const columnData = columns.map(({ name, type, values }) => ({
      name,
      type: PARQUET_TYPES[type],
      data: [...values],
    }));
    return new Uint8Array(parquetWriteBuffer({ columnData }));
  }
  const rows = Array.from({ length: columns[0]?.values.length ?? 0 }, (_, row) =>
    columns.map(({ values }) => values[row]!),
  );
  const names = columns.map(({ name }) => name);
  if (ending === '.csv') return `${Papa.unparse({ fields: names, data: rows }, { newline: '\n' })}\n`;
  if (ending === '.jsonl')
    return rows
      .map((row) => `${JSON.stringify(Object.fromEntries(names.map((name, i) => [name, row[i]])))}\n`)
      .join('');
  throw new DataError(
    `${path}: expected a name that ends with ${OUTPUT_ENDINGS.join(', ')}, got ${JSON.stringify(ending)}`,
  );
}
