/**
 * Reads JSON files with a single value: an array of objects, or an object that maps identifiers to objects or lists, as
 * S3-Rec's item2attributes.json. The whole file is in memory, so its size is limited.
 */
import { DataError } from 'shortlist';
import { type FileBytes, fileChunks } from '../bytes/file-bytes.ts';
import type { Cell } from '../columns/cell.ts';
import type { Table } from './contract.ts';
import { type JsonRow, jsonCell, jsonRow, rowsToBatch, withLongIntegersAsText } from './json-lines.ts';

/** The largest file: parsed JSON takes about ten times the memory of its text. */
const BYTES_MAX = 1 << 28;
const ROWS_A_BATCH = 1 << 14;

/**
 * A JSON file as a table.
 *
 * @throws {DataError} when the file is too large, is not JSON, or has neither of the two forms
 */
export async function jsonTable(file: FileBytes, words: readonly string[]): Promise<Table> {
  const rows = await readRows(file);
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return {
    path: file.path,
    format: 'json',
    description: ['JSON', ...words].join(', '),
    columns,
    hasNames: true,
    sizeBytes: file.sizeBytes,
    rows: rows.length,
    async *batches({ columns: wanted = columns.map((_, i) => i), progress } = {}) {
      const names = wanted.map((column) => columns[column]!);
      for (let first = 0; first < rows.length; first += ROWS_A_BATCH) {
        const part = rows.slice(first, first + ROWS_A_BATCH);
        if (progress) progress.bytesRead = Math.round((file.sizeBytes * (first + part.length)) / rows.length);
        yield rowsToBatch(
          part,
          names,
          part.map((_, i) => first + i + 1),
        );
      }
    },
  };
}

async function readRows(file: FileBytes): Promise<JsonRow[]> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of fileChunks(file)) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) {
      throw new DataError(
        `${file.path}: expected at most ${BYTES_MAX} bytes of JSON, got more; JSON Lines has no limit`,
      );
    }
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(withLongIntegersAsText(Buffer.concat(chunks).toString('utf8')));
  } catch (error) {
    throw new DataError(`${file.path}: expected JSON, got other text: ${(error as Error).message}`);
  }
  if (Array.isArray(value)) {
    return value.map((element, i) => {
      const row = jsonRow(element);
      if (!row) throw new DataError(`${file.path}: expected objects in the array, got another value at position ${i}`);
      return row;
    });
  }
  return Object.entries(value as object).map(([id, fields]): JsonRow => {
    const row = jsonRow(fields);
    return row
      ? new Map<string, Cell>([['id', id], ...row])
      : new Map<string, Cell>([
          ['id', id],
          ['values', jsonCell(fields)],
        ]);
  });
}
