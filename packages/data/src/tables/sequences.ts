/**
 * Reads files of sequences: one line for each user, `user item item …`, with the items in the order of time, as in the files of
 * LightGCN, S3-Rec and SASRec. A row is a pair of user and item; its `position`, from 1, is the place in the line.
 */
import type { FileBytes } from '../bytes/file-bytes.ts';
import { ReadLog } from '../bytes/read-log.ts';
import { lineBlocks } from '../bytes/text-chunks.ts';
import type { BatchRequest, Table, TableBatch } from './contract.ts';

const NAMES = ['user', 'item', 'position'] as const;

/** A file of sequences as a table of user, item and position. */
export function sequencesTable(file: FileBytes, words: readonly string[]): Table {
  return {
    path: file.path,
    format: 'sequences',
    description: ['sequences (user item item …)', ...words].join(', '),
    columns: NAMES,
    hasNames: true,
    sizeBytes: file.sizeBytes,
    batches: (request = {}) => batches(file, request),
  };
}

async function* batches(file: FileBytes, request: BatchRequest): AsyncGenerator<TableBatch> {
  const { columns = [0, 1, 2], log = new ReadLog(file.path), progress, signal } = request;
  let line = 0;
  const take = (block: readonly string[]): TableBatch => {
    const users: string[] = [];
    const items: string[] = [];
    const positions: number[] = [];
    const lines: number[] = [];
    for (const sequence of block) {
      line++;
      const [user, ...rest] = sequence.trim().split(/\s+/);
      if (user === '' || user === undefined) continue;
      if (rest.length === 0) log.note('lines with a user and no items were left out');
      rest.forEach((item, i) => {
        users.push(user);
        items.push(item);
        positions.push(i + 1);
        lines.push(line);
      });
    }
    const all = [users, items, positions];
    return { rows: users.length, columns: columns.map((column) => all[column]!), lineOf: (row) => lines[row]! };
  };
  for await (const block of lineBlocks(file, log, progress, signal)) {
    const batch = take(block);
    if (batch.rows > 0) yield batch;
  }
}
