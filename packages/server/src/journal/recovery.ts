/**
 * Recovery of a journal when it is opened: replays whole requests, and finds out whether to cut its end or to keep a
 * copy of it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FormatError } from 'shortlist';
import { HEAD_BYTES, headProblem, type JournalRecord } from './record.ts';
import { readRequests } from './requests.ts';

/** The findings of opening a journal. */
export interface JournalRecovery {
  /** Number of records of whole requests, all of which were replayed. */
  records: number;
  /**
   * Number of records whose attributes were partly left out, and the reason for the first. Older servers wrote
   * attributes of the wrong kind.
   */
  misfits: number;
  misfit: string | undefined;
  /** Bytes that were cut off after the last whole request, and the reason; 0 for a journal that was closed properly. */
  bytesCut: number;
  reason: string | undefined;
  /** Damage that an interrupted write cannot have caused; undefined if there is none. */
  damage: JournalDamage | undefined;
}

/** Damage to updates that were acknowledged. */
export interface JournalDamage {
  /** Number of lost bytes, the number of places where they were, and the reason for the first. */
  bytes: number;
  places: number;
  reason: string;
  /** Number of records of whole requests after the first damage; they were replayed. */
  recordsBehind: number;
  /**
   * Name of the copy of the damaged file, in the same folder; undefined if no copy could be made, as on a read-only
   * disk.
   */
  copy: string | undefined;
}

/**
 * Handling of a damaged journal: keep a copy and replay every whole request ('replay'), or do not load its version
 * ('refuse').
 */
export type DamagePolicy = 'replay' | 'refuse';

/** Replays a record. If attributes of the record are left out, the reason is returned. */
export type Replay = (record: JournalRecord) => string | undefined;

/** The findings of replaying the bytes of a journal. */
export interface Replayed {
  recovery: JournalRecovery;
  /** Position of the byte after the last whole request. */
  end: number;
  /** The last sequence number used. */
  sequence: number;
  /** The bytes of all whole requests; set only if there is damage before the last of them. */
  pieces: Buffer[];
}

/** Records replayed per turn of the event loop, which take some tenths of a millisecond. */
const REPLAYED_AT_ONCE = 16;

/**
 * Replay the whole requests in the bytes of a journal. The caller has checked the head.
 *
 * @throws {FormatError} when the file is no journal or has a newer format version; nothing was replayed
 * @throws {FormatError} when it is damaged and `policy` is 'refuse'; nothing was replayed
 */
export async function replayRequests(
  bytes: Buffer,
  replay: Replay,
  policy: DamagePolicy,
  sequence: number,
): Promise<Replayed> {
  const damage = await findDamage(bytes);
  if (damage && policy === 'refuse') {
    throw new FormatError(
      'journal',
      damage.at,
      `damaged: ${damage.reason} (${damage.bytes} bytes in ${damage.places} places, ${damage.recordsBehind} whole records ` +
        "after it). With journalDamage 'replay' a copy is kept and every whole request is replayed",
    );
  }
  const recovery: JournalRecovery = {
    records: 0,
    misfits: 0,
    misfit: undefined,
    bytesCut: 0,
    reason: undefined,
    damage: damage && { ...damage, copy: undefined },
  };
  const replayed: Replayed = { recovery, end: HEAD_BYTES, sequence, pieces: [] };
  let sinceTurn = 0;
  for (const part of readRequests(bytes, HEAD_BYTES)) {
    if (part.kind === 'request') {
      for (const record of part.records) {
        const leftOut = replay(record);
        if (leftOut !== undefined) recovery.misfits++;
        recovery.misfit ??= leftOut;
        replayed.sequence = record.sequence;
        recovery.records++;
        // Another version may be serving.
        if (++sinceTurn % REPLAYED_AT_ONCE === 0) await nextTurn();
      }
      replayed.end = part.end;
      if (damage) replayed.pieces.push(bytes.subarray(part.begin, part.end));
    } else if (part.kind === 'tail') {
      recovery.bytesCut = part.end - part.begin;
      recovery.reason = part.reason;
    } else if (part.kind === 'pause') await nextTurn();
  }
  return replayed;
}

/** Damage that an interrupted write cannot have caused. */
async function findDamage(bytes: Buffer): Promise<(Omit<JournalDamage, 'copy'> & { at: number }) | undefined> {
  const head = headProblem(bytes);
  if (head?.isNewer) throw new FormatError('journal', 0, head.problem);
  let found: (Omit<JournalDamage, 'copy'> & { at: number }) | undefined;
  let isJournal = head === undefined;
  const add = (at: number, size: number, reason: string): void => {
    found ??= { at, bytes: 0, places: 0, reason, recordsBehind: 0 };
    found.bytes += size;
    found.places++;
  };
  if (head) add(0, HEAD_BYTES, head.problem);
  for (const part of readRequests(bytes, HEAD_BYTES)) {
    if (part.kind === 'request') {
      isJournal = true;
      if (found) found.recordsBehind += part.records.length;
    } else if (part.kind === 'damage' || (part.kind === 'tail' && !part.isTorn)) {
      add(part.begin, part.end - part.begin, part.reason);
    } else if (part.kind === 'pause') await nextTurn();
  }
  // Neither the head nor any record shows that the file was ever a journal.
  if (!isJournal) throw new FormatError('journal', 0, head!.problem);
  return found;
}
