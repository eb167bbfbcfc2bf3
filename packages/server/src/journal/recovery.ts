/** What is in a journal when it is opened: whole requests to replay, and what must be cut or kept aside. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FormatError } from 'shortlist';
import { HEAD_BYTES, headProblem, type JournalRecord } from './record.ts';
import { readRequests } from './requests.ts';

/** What opening a journal found. */
export interface JournalRecovery {
  /** Records of whole requests, which were replayed. */
  records: number;
  /** Records of which attributes were left out, and why those of the first were: older servers wrote what does not fit. */
  misfits: number;
  misfit: string | undefined;
  /** Bytes behind the last whole request that were cut off, and why; 0 for a journal that was closed well. */
  bytesCut: number;
  reason: string | undefined;
  /** Damage that no interrupted write explains; undefined where there is none. */
  damage: JournalDamage | undefined;
}

/** Damage to updates that were acknowledged. */
export interface JournalDamage {
  /** Bytes that are lost, in how many places, and what is wrong with the first. */
  bytes: number;
  places: number;
  reason: string;
  /** Records of whole requests that lie behind the first damage; they were replayed. */
  recordsBehind: number;
  /** Name of the copy of the damaged file, in its folder; undefined where none could be kept: on a read-only disk. */
  copy: string | undefined;
}

/** What to do with a damaged journal: keep a copy and replay every whole request, or not load its version. */
export type DamagePolicy = 'replay' | 'refuse';

/** Replays a record; answers what of it was left out, where something was. */
export type Replay = (record: JournalRecord) => string | undefined;

/** What replaying a journal's bytes found. */
export interface Replayed {
  recovery: JournalRecovery;
  /** Byte behind the last whole request. */
  end: number;
  /** The last sequence number used. */
  sequence: number;
  /** The bytes of whole requests, where there is damage before the last of them. */
  pieces: Buffer[];
}

/** Records replayed between two turns of the event loop: some tenths of a millisecond. */
const REPLAYED_AT_ONCE = 16;

/**
 * Replay the whole requests of a journal's bytes; its head is whole.
 *
 * @throws {FormatError} when it is no journal or of a newer version; nothing was replayed
 * @throws {FormatError} when it is damaged and is to be refused then; nothing was replayed
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
        "behind). With journalDamage 'replay' a copy of it is kept and what is whole is replayed",
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

/** Damage that no interrupted write explains, and where it begins. */
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
  // Nothing in it says that it ever was one.
  if (!isJournal) throw new FormatError('journal', 0, head!.problem);
  return found;
}
