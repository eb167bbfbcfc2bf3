/** Reading a journal without opening it for appending. */
import { open } from 'node:fs/promises';
import { DataError } from 'shortlist';
import { decodeRecord, HEAD_BYTES, type JournalRecord } from './record.ts';

/** Every whole record of a journal's bytes, in order; `begin` is where one begins. */
export function* readRecords(bytes: Buffer, begin: number = HEAD_BYTES): Generator<JournalRecord> {
  for (let at = begin; at < bytes.length; ) {
    const found = decodeRecord(bytes, at);
    if ('problem' in found) return;
    yield found.record;
    at = found.end;
  }
}

/** The records of a journal's file between two bytes where records begin. @throws {DataError} when it is shorter */
export async function readRecordsOf(path: string, begin: number, end: number): Promise<JournalRecord[]> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(end - begin);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, begin + at);
      if (bytesRead === 0) throw new DataError(`${path}: expected ${end} bytes, got ${begin + at}`);
      at += bytesRead;
    }
    return [...readRecords(bytes, 0)];
  } finally {
    await file.close();
  }
}
