/**
 * The requests of a journal's bytes: all records of each, where it begins and ends, and what between them is damaged.
 *
 * A request is whole when all of its records are. Behind a record that is not, the next whole one is looked for: where the
 * damaged one says that it ends, else at every byte. A record is one when its length, its own numbers and its checksum
 * agree, and its sequence is above those before. Without a whole record behind, it is a tail that was not finished.
 */
import { decodeRecord, type JournalRecord } from './record.ts';

/** Part of a journal; `pause` says that other work may have its turn. */
export type JournalPart =
  | { kind: 'request'; begin: number; end: number; records: readonly JournalRecord[] }
  /** Bytes between whole requests that hold none. */
  | { kind: 'damage'; begin: number; end: number; reason: string }
  /** Bytes behind the last whole request; `isTorn` where they look like a write that a crash interrupted. */
  | { kind: 'tail'; begin: number; end: number; reason: string; isTorn: boolean }
  | { kind: 'pause' };

/** Bytes searched for a record between two pauses: some milliseconds. */
const SEARCHED_AT_ONCE = 1 << 20;

/** A request whose last record was not read yet. */
interface Unfinished {
  begin: number;
  records: JournalRecord[];
}

/** Every part of a journal's bytes from a byte on, in order. */
export function* readRequests(bytes: Buffer, from: number): Generator<JournalPart> {
  let at = from;
  let sequence = 0;
  let unfinished: Unfinished | undefined;
  /** Where what cannot be used begins, and why, until a request is whole again. */
  let damage: { begin: number; reason: string; isTorn: boolean } | undefined;
  while (at < bytes.length) {
    const found = decodeRecord(bytes, at);
    if ('problem' in found) {
      damage ??= { begin: unfinished?.begin ?? at, reason: found.problem, isTorn: isTornAt(bytes, at) };
      unfinished = undefined;
      const next = yield* nextRecord(bytes, at, sequence);
      if (next === undefined) break;
      damage.isTorn = false;
      at = next;
      continue;
    }
    const { record, end } = found;
    if (unfinished && !record.continued) {
      damage ??= { begin: unfinished.begin, reason: 'a request has no end', isTorn: false };
      unfinished = undefined;
    }
    if (!unfinished && record.continued) damage ??= { begin: at, reason: 'a request has no beginning', isTorn: false };
    else {
      unfinished ??= { begin: at, records: [] };
      unfinished.records.push(record);
      if (!record.continues) {
        if (damage) yield { kind: 'damage', begin: damage.begin, reason: damage.reason, end: unfinished.begin };
        damage = undefined;
        yield { kind: 'request', ...unfinished, end };
        unfinished = undefined;
      }
    }
    sequence = record.sequence;
    at = end;
  }
  const tail = damage ?? (unfinished && { begin: unfinished.begin, reason: 'a request is cut off', isTorn: true });
  if (tail) yield { kind: 'tail', ...tail, end: bytes.length };
}

/** Whether the bytes from a record on are its beginning alone, or zeros, which a file system leaves that lost its power. */
function isTornAt(bytes: Buffer, at: number): boolean {
  const found = decodeRecord(bytes, at);
  if ('problem' in found && found.isCutOff) return true;
  return bytes.subarray(at).every((byte) => byte === 0);
}

/** Where the next whole record behind a damaged one begins. */
function* nextRecord(bytes: Buffer, at: number, sequence: number): Generator<JournalPart, number | undefined> {
  const isWhole = (begin: number): boolean => {
    const found = decodeRecord(bytes, begin);
    return 'record' in found && found.record.sequence > sequence;
  };
  const behind = at + 8 <= bytes.length ? at + 8 + bytes.readUInt32LE(at) : bytes.length;
  if (behind < bytes.length && isWhole(behind)) return behind;
  for (let begin = at + 1; begin < bytes.length; begin++) {
    if (isWhole(begin)) return begin;
    if ((begin - at) % SEARCHED_AT_ONCE === 0) yield { kind: 'pause' };
  }
  return undefined;
}
