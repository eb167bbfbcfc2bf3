/** Reading a journal without opening it for appending. */
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
