/** Reads Arrow IPC files (also Feather 2) and streams with flechette, one record batch at a time. */
import { type Table as ArrowTable, CompressionType, setCompressionCodec, tableFromIPC } from '@uwdata/flechette';
import { decompress } from 'fzstd';
import { AbortedError, DataError } from 'shortlist';
import { reasonOf } from '../bytes/damage.ts';
import type { FileBytes } from '../bytes/file-bytes.ts';
import { cellsOf } from '../columns/cell.ts';
import { arrowMessages } from './arrow-messages.ts';
import type { BatchRequest, Table, TableBatch } from './contract.ts';
import { distinctNames } from './contract.ts';
import { decompressLz4Frame } from './lz4-frame.ts';

/** The codec for flechette, which requires an encoder, too; Arrow files are only read here. */
const encode = (): never => {
  throw new Error('writing Arrow is not supported');
};
// A copy, because views over it must begin at a multiple of eight bytes.
setCompressionCodec(CompressionType.ZSTD, { encode, decode: (bytes) => decompress(bytes).slice() });
setCompressionCodec(CompressionType.LZ4_FRAME, { encode, decode: decompressLz4Frame });

/**
 * An Arrow file as a table.
 *
 * @throws {DataError} when its schema cannot be read
 */
export async function arrowTable(file: FileBytes): Promise<Table> {
  let names: string[] | undefined;
  for await (const { kind, bytes } of arrowMessages(file.path)) {
    if (kind !== 'schema') break;
    names = distinctNames(decode(file.path, [bytes]).schema.fields.map(({ name }) => name)).names;
    break;
  }
  if (names === undefined) throw new DataError(`${file.path}: expected an Arrow schema first, got none`);
  const columns = names;
  return {
    path: file.path,
    format: 'arrow',
    description: 'Arrow IPC',
    columns,
    hasNames: true,
    sizeBytes: file.sizeBytes,
    batches: (request = {}) => batches(file.path, columns.length, request),
  };
}

async function* batches(path: string, width: number, request: BatchRequest): AsyncGenerator<TableBatch> {
  const { columns = Array.from({ length: width }, (_, i) => i), progress, signal } = request;
  // A dictionary comes before the batches that use it, and is valid for all further batches.
  const before: Uint8Array[] = [];
  let firstRow = 1;
  for await (const { kind, bytes, end } of arrowMessages(path)) {
    if (signal?.aborted) throw new AbortedError(`${path}: interrupted`, { cause: signal.reason });
    if (progress) progress.bytesRead = end;
    if (kind === 'schema' || kind === 'dictionary') before.push(bytes);
    if (kind !== 'batch') continue;
    const table = decode(path, [...before, bytes]);
    const first = firstRow;
    firstRow += table.numRows;
    const cells = columns.map((column) => cellsOf(table.getChildAt(column).toArray()));
    if (table.numRows > 0) yield { rows: table.numRows, columns: cells, lineOf: (row) => first + row };
  }
}

function decode(path: string, messages: Uint8Array[]): ArrowTable {
  try {
    return tableFromIPC(messages, { useDate: true, useBigInt: true });
  } catch (error) {
    throw new DataError(`${path}: expected Arrow data, got invalid bytes${reasonOf(error)}`);
  }
}
