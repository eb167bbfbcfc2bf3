/** Reading a journal without opening it for appending. */
import { decodeRecord, HEAD_BYTES, type JournalRecord } from './record.ts';

/** Every whole record of a journal's bytes, in order. */
export function* readRecords(bytes: Buffer): Generator<JournalRecord> {
  for (let at = HEAD_BYTES; at < bytes.length; ) {
    const found = decodeRecord(bytes, at);
    if ('problem' in found) return;
    yield found.record;
    at = found.end;
  }
}
