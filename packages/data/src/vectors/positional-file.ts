/** Reads a file at given positions. Errors name the file. */
import { type FileHandle, open } from 'node:fs/promises';
import { AbortedError, DataError, FileError } from 'shortlist';
import { systemReason } from 'shortlist/node';
import { sizeOfFile } from '../bytes/file-bytes.ts';
import { ROWS_PER_BATCH, type VectorBatch, type VectorRequest } from './contract.ts';

/** Opens a file, calls `use`, and closes the file. */
export async function withFile<T>(path: string, use: (file: FileHandle, sizeBytes: number) => Promise<T>): Promise<T> {
  const file = await openFile(path);
  try {
    return await use(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

/** Reads rows in batches; the file is open until the last batch. */
export async function* rowBatches(
  path: string,
  rows: number,
  { rowsPerBatch = ROWS_PER_BATCH, signal }: VectorRequest,
  read: (file: FileHandle, firstRow: number, rows: number) => Promise<Float32Array>,
): AsyncGenerator<VectorBatch> {
  const file = await openFile(path);
  try {
    for (let firstRow = 0; firstRow < rows; firstRow += rowsPerBatch) {
      if (signal?.aborted) throw new AbortedError(`${path}: interrupted`, { cause: signal.reason });
      const count = Math.min(rowsPerBatch, rows - firstRow);
      yield { firstRow, rows: count, data: await read(file, firstRow, count) };
    }
  } finally {
    await file.close();
  }
}

/**
 * Bytes [at, at + length).
 *
 * @throws {DataError} when the file ends before them
 */
export async function bytesAt(path: string, file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) throw new DataError(`${path}: expected ${length} bytes at ${at}, got the end of the file`);
    filled += bytesRead;
  }
  return bytes;
}

async function openFile(path: string): Promise<FileHandle> {
  await sizeOfFile(path);
  return open(path).catch((error: Error) => {
    throw new FileError(`${path}: cannot be read: ${systemReason(error)}`, { cause: error });
  });
}
