/** Reads a journal without opening it for appending. */
import { open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DataError } from 'shortlist';
import type { JournalRecord } from './record.ts';
import { readRequests } from './requests.ts';

/**
 * The whole requests of a journal's file from byte `begin` to byte `end`, both of which are starts of requests. Damaged
 * parts are left out without a message, because the opening of the journal has reported them.
 *
 * @throws {DataError} when the file is shorter than `end`
 */
export async function readRequestsOf(path: string, begin: number, end: number): Promise<(readonly JournalRecord[])[]> {
  const bytes = await readBytes(path, begin, end);
  const requests: (readonly JournalRecord[])[] = [];
  for (const part of readRequests(bytes, 0)) {
    if (part.kind === 'request') requests.push(part.records);
    else if (part.kind === 'pause') await nextTurn();
  }
  return requests;
}

async function readBytes(path: string, begin: number, end: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(end - begin);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, bytes.length - at, begin + at);
      if (bytesRead === 0) throw new DataError(`${path}: expected ${end} bytes, got ${begin + at}`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
