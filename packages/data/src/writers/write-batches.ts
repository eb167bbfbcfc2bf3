/**
 * Batches of rows to a file: Parquet, CSV, JSON Lines or `.npy` by the ending of its name, written beside and renamed.
 *
 * One batch is in memory at a time. A batch is a row group of Parquet. A `.npy` has the one vector column; the text column
 * stands in NAME.ids.txt beside it, a row a line. In CSV and Parquet a vector is a column for each dimension.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { DataError, FileError } from 'shortlist';
import {
  type BatchFormat,
  csv,
  jsonLines,
  npy,
  type OutputBatch,
  type OutputColumn,
  parquet,
} from './batch-formats.ts';

/** Formats of tables by ending. */
export const OUTPUT_ENDINGS: readonly string[] = ['.parquet', '.csv', '.jsonl'];
/** Formats of vectors by ending. */
export const VECTOR_OUTPUT_ENDINGS: readonly string[] = [...OUTPUT_ENDINGS, '.npy'];

/** The file with the identifiers of a `.npy`: NAME.ids.txt beside NAME.npy. */
export function identifiersPath(path: string): string {
  return `${path.slice(0, -extname(path).length)}.ids.txt`;
}

/**
 * Writes batches; where one cannot be made or written, what was at `path` is as it was.
 *
 * @param rows how many the batches have together, which the head of a `.npy` states
 * @throws {DataError} when the ending is none of the formats
 * @throws {FileError} when the system refuses
 */
export async function writeBatches(
  path: string,
  columns: readonly OutputColumn[],
  rows: number,
  batches: AsyncIterable<OutputBatch>,
): Promise<void> {
  const formats = formatsOf(path, columns, rows);
  const paths = formats.length === 1 ? [path] : [identifiersPath(path), path];
  const beside = paths.map((name) => `${name}.${process.pid}.part`);
  const handles: FileHandle[] = [];
  try {
    for (const name of beside) handles.push(await open(name, 'w'));
    const writeAll = async (contentOf: (format: BatchFormat) => string | Uint8Array): Promise<void> => {
      for (const [i, format] of formats.entries()) await handles[i]!.appendFile(contentOf(format));
    };
    await writeAll(({ head }) => head);
    for await (const batch of batches) await writeAll((format) => format.batch(batch));
    await writeAll((format) => format.end());
    for (const handle of handles) {
      await handle.sync();
      await handle.close();
    }
    for (const [i, name] of beside.entries()) await rename(name, paths[i]!);
  } catch (error) {
    for (const handle of handles) await handle.close().catch(() => undefined);
    for (const name of beside) await rm(name, { force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new FileError(`${path}: cannot be written: ${(error as Error).message}`, { cause: error });
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
