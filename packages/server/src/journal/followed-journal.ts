/**
 * A journal that this server does not append to, because another server holds its lock or the folder is read-only.
 *
 * Each call of `news` returns the updates that the other server has appended since the call before. Only the new bytes
 * are read, unless the file was cut or was replaced by one that holds its whole requests (salvage.ts). Then it is read
 * from the start, and records that were read before are skipped by their sequence number. Limit: a request that the
 * other server could not write completely, and therefore refused, may be applied here until the version is loaded
 * again.
 */
import { open, stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HEAD_BYTES, headProblem, type JournalRecord } from './record.ts';
import { readRequests } from './requests.ts';

/** The reason why updates are refused. */
export interface UpdatesRefused {
  /** Whether another server accepts updates. */
  isLocked: boolean;
  /** Whether the disk is full, so that there may be room for updates soon; default false. */
  isFull?: boolean;
  /** Text that completes "updates are refused: ". */
  reason: string;
}

/** Follows one journal. */
export class FollowedJournal {
  readonly path: string;
  refused: UpdatesRefused;
  #sequence = 0;
  #sizeBytes = HEAD_BYTES;
  #seen = '';
  #inode = -1;
  #bytesRead = 0;

  constructor(path: string, refused: UpdatesRefused) {
    this.path = path;
    this.refused = refused;
  }

  /** Position of the byte after the last request that was read. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Sequence number of the last record that was read. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Bytes that all calls together have read. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** The records of whole requests that were appended since the last call. */
  async news(): Promise<JournalRecord[]> {
    const entry = await stat(this.path).catch(() => undefined);
    if (!entry?.isFile()) return [];
    const state = `${entry.ino} ${entry.size} ${entry.mtimeMs}`;
    if (state === this.#seen) return [];
    const isSame = entry.ino === this.#inode && entry.size >= this.#sizeBytes;
    const fresh = (isSame ? await this.#appended() : undefined) ?? (await this.#all());
    this.#sequence = fresh.at(-1)?.sequence ?? this.#sequence;
    this.#inode = entry.ino;
    this.#seen = state;
    return fresh;
  }

  async #all(): Promise<JournalRecord[]> {
    const bytes = await this.#read(0);
    if (headProblem(bytes)?.isNewer) return [];
    const fresh: JournalRecord[] = [];
    this.#sizeBytes = HEAD_BYTES;
    for (const part of readRequests(bytes, HEAD_BYTES)) {
      if (part.kind === 'pause') await nextTurn();
      if (part.kind !== 'request') continue;
      this.#sizeBytes = part.end;
      for (const record of part.records) if (record.sequence > this.#sequence) fresh.push(record);
    }
    return fresh;
  }

  /**
   * The records after the last request that was read; undefined if no request begins there, because the file was cut.
   */
  async #appended(): Promise<JournalRecord[] | undefined> {
    const from = this.#sizeBytes;
    const fresh: JournalRecord[] = [];
    let end = from;
    for (const part of readRequests(await this.#read(from), 0)) {
      if (part.kind === 'pause') await nextTurn();
      else if (part.kind === 'request') {
        end = from + part.end;
        for (const record of part.records) if (record.sequence > this.#sequence) fresh.push(record);
      } else if (part.kind === 'damage' || !part.isTorn) return undefined;
    }
    this.#sizeBytes = end;
    return fresh;
  }

  async #read(from: number): Promise<Buffer> {
    const file = await open(this.path, 'r');
    try {
      const bytes = Buffer.alloc(Math.max(0, (await file.stat()).size - from));
      let read = 0;
      for (let more = 1; more > 0 && read < bytes.length; read += more) {
        more = (await file.read(bytes, read, bytes.length - read, from + read)).bytesRead;
      }
      this.#bytesRead += read;
      return bytes.subarray(0, read);
    } finally {
      await file.close();
    }
  }
}
