/**
 * Sequences: a line a user, `user item item …`, in the order of time (LightGCN's, S3-Rec's and SASRec's files). Rows are
 * pairs of user and item; `position` is the item's place in its line, from 1, the only time such a file has.
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
    description: ['a line a user: user item item …', ...words].join(', '),
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
      if (rest.length === 0) log.note('users without an item: their lines were passed over');
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
