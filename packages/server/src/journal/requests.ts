/**
 * Splits the bytes of a journal into requests, with the records and the position of each, and the damaged parts between
 * them.
 *
 * A request is whole if all its records are. After a damaged record the next whole one is searched, first where the
 * damaged record should end, then at every byte. A record is whole if its length, its other numbers and its checksum
 * agree and its sequence number is above all earlier ones. If no whole record follows, the damaged one begins an
 * unfinished tail.
 */
import { decodeRecord, type JournalRecord } from './record.ts';

/** A part of a journal; at a `pause` the caller may let other work run. */
export type JournalPart =
  | { kind: 'request'; begin: number; end: number; records: readonly JournalRecord[] }
  /** Damaged bytes between whole requests. */
  | { kind: 'damage'; begin: number; end: number; reason: string }
  /** Bytes after the last whole request; `isTorn` if they look like a write that a crash interrupted. */
  | { kind: 'tail'; begin: number; end: number; reason: string; isTorn: boolean }
  | { kind: 'pause' };

/** Bytes that are searched for a record between two pauses, which takes some milliseconds. */
const SEARCHED_AT_ONCE = 1 << 20;

/** A request whose last record has not been read yet. */
interface Unfinished {
  begin: number;
  records: JournalRecord[];
}

/** The parts of a journal's bytes from byte `from` on, in order. */
export function* readRequests(bytes: Buffer, from: number): Generator<JournalPart> {
  let at = from;
  let sequence = 0;
  let unfinished: Unfinished | undefined;
  /** The start of the current damage and its reason; it ends with the next whole request. */
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

/**
 * Whether the bytes from here on are only the beginning of a record, or zeros, which a file system may leave after a
 * power failure.
 */
function isTornAt(bytes: Buffer, at: number): boolean {
  const found = decodeRecord(bytes, at);
  if ('problem' in found && found.isCutOff) return true;
  return bytes.subarray(at).every((byte) => byte === 0);
}

/** The position of the next whole record after a damaged one. */
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
