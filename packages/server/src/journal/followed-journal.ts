/**
 * A journal that this server does not append to: another server holds its lock, or nothing can be written in its folder.
 *
 * Its updates are read as the other server appends them, so that answers are as fresh as the last look. Records that were
 * seen before are known by their sequence: the file may have been replaced by one of its whole requests. Limit: a request
 * that the other server could not write whole, and refused, may be seen until the version is loaded again.
 */
import { readFile, stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HEAD_BYTES, headProblem, type JournalRecord } from './record.ts';
import { readRequests } from './requests.ts';

/** Why updates are refused. */
export interface UpdatesRefused {
  /** Whether another server takes them. */
  isLocked: boolean;
  /** Completes "updates are refused: ". */
  reason: string;
}

/** Follows one journal. */
export class FollowedJournal {
  readonly path: string;
  refused: UpdatesRefused;
  #sequence = 0;
  #sizeBytes = HEAD_BYTES;
  #seen = '';

  constructor(path: string, refused: UpdatesRefused) {
    this.path = path;
    this.refused = refused;
  }

  /** Byte behind the last request that was read. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Sequence of the last record that was read. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The records of whole requests since the last call. */
  async news(): Promise<JournalRecord[]> {
    const entry = await stat(this.path).catch(() => undefined);
    if (!entry?.isFile()) return [];
    const state = `${entry.ino} ${entry.size} ${entry.mtimeMs}`;
    if (state === this.#seen) return [];
    const bytes = await readFile(this.path);
    if (headProblem(bytes)?.isNewer) return [];
    const fresh: JournalRecord[] = [];
    for (const part of readRequests(bytes, HEAD_BYTES)) {
      if (part.kind === 'pause') await nextTurn();
      if (part.kind !== 'request') continue;
      this.#sizeBytes = part.end;
      for (const record of part.records) if (record.sequence > this.#sequence) fresh.push(record);
    }
    this.#sequence = fresh.at(-1)?.sequence ?? this.#sequence;
    this.#seen = state;
    return fresh;
  }
}
