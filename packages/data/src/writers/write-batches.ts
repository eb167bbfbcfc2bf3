/**
 * Writes batches of rows to a Parquet, CSV, JSON Lines or `.npy` file, by the ending of its name. The file is written under
 * another name and then renamed.
 *
 * One batch is in memory at a time. In Parquet a batch is a row group. A `.npy` holds the column of vectors; the column of
 * text is in NAME.ids.txt beside it, one value in each line. In CSV and Parquet a vector has one column for each dimension.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { DataError, FileError } from 'shortlist';
import { isSystemError, removeUnfinished, systemReason, unfinishedPath } from 'shortlist/node';
import { checkArgument, checkInteger, ITERABLE, objectWith, optionType, STRING } from 'shortlist/options';
import {
  type BatchFormat,
  csv,
  jsonLines,
  npy,
  type OutputBatch,
  type OutputColumn,
  parquet,
} from './batch-formats.ts';

const OUTPUT_COLUMN = objectWith('a column', 'name', 'type');
const OUTPUT_COLUMNS = optionType(
  'a list of columns with name and type',
  (value) => Array.isArray(value) && value.every((each) => OUTPUT_COLUMN.accepts(each)),
);

/** The endings of table formats. */
export const OUTPUT_ENDINGS: readonly string[] = ['.parquet', '.csv', '.jsonl'];
/** The endings of vector formats. */
export const VECTOR_OUTPUT_ENDINGS: readonly string[] = [...OUTPUT_ENDINGS, '.npy'];

/** The path of the identifiers of a `.npy`: NAME.ids.txt for NAME.npy. */
export function identifiersPath(path: string): string {
  checkArgument('path', path, STRING);
  return `${path.slice(0, -extname(path).length)}.ids.txt`;
}

/**
 * Write batches. If this fails, an existing file at `path` is unchanged.
 *
 * @param rows the number of rows of all batches, which a `.npy` has in its header
 * @throws {DataError} when the ending is not one of a format
 * @throws {FileError} when the file cannot be written
 */
export async function writeBatches(
  path: string,
  columns: readonly OutputColumn[],
  rows: number,
  batches: AsyncIterable<OutputBatch>,
): Promise<void> {
  checkArgument('path', path, STRING);
  checkArgument('columns', columns, OUTPUT_COLUMNS);
  checkInteger('rows', rows, 0);
  checkArgument('batches', batches, ITERABLE);
  const batchType = optionType(
    `a list of ${columns.length} columns of values in each batch`,
    (value) => Array.isArray(value) && value.length === columns.length && value.every(Array.isArray),
  );
  const formats = formatsOf(path, columns, rows);
  const paths = formats.length === 1 ? [path] : [identifiersPath(path), path];
  const unfinished = paths.map(unfinishedPath);
  const handles: FileHandle[] = [];
  try {
    for (const name of unfinished) handles.push(await open(name, 'w'));
    const writeAll = async (contentOf: (format: BatchFormat) => string | Uint8Array): Promise<void> => {
      for (const [i, format] of formats.entries()) await handles[i]!.appendFile(contentOf(format));
    };
    await writeAll(({ head }) => head);
    for await (const batch of batches) {
      checkArgument('batches', batch, batchType);
      await writeAll((format) => format.batch(batch));
    }
    await writeAll((format) => format.end());
    for (const handle of handles) {
      await handle.sync();
      await handle.close();
    }
    for (const [i, name] of unfinished.entries()) await rename(name, paths[i]!);
    for (const name of paths) await removeUnfinished(name);
  } catch (error) {
    for (const handle of handles) await handle.close().catch(() => undefined);
    for (const name of unfinished) await rm(name, { force: true });
    if (!isSystemError(error)) throw error;
    throw new FileError(`${path}: cannot be written: ${systemReason(error)}`, { cause: error });
  }
}

function formatsOf(path: string, columns: readonly OutputColumn[], rows: number): readonly BatchFormat[] {
  const ending = extname(path).toLowerCase();
  if (ending === '.parquet') return [parquet(columns)];
  if (ending === '.csv') return [csv(columns)];
  if (ending === '.jsonl') return [jsonLines(columns)];
  if (ending === '.npy') return npy(columns, rows);
  throw new DataError(
    `${path}: expected a name that ends with ${VECTOR_OUTPUT_ENDINGS.join(', ')}, got ${JSON.stringify(ending)}`,
  );
}
