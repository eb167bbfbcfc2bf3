/**
 * An append-only journal of updates: an update is acknowledged when its record is in the file.
 *
 * Appends that come while a write is under way share the next one (group commit). With `fsync: 'always'` a write is
 * acknowledged after fsync; with `fsync: { everyMs }` after the write itself, and the file is synced at most that many
 * milliseconds later: a killed process loses nothing, a machine that loses power loses at most that span.
 *
 * The updates of one append are one request: after a crash all of them are replayed or none is (requests.ts). What an
 * interrupted write left at the end is cut when the journal is opened; of a journal that is damaged otherwise a copy is
 * kept, and every whole request is replayed (recovery.ts). When a write fails (a full disk) what it left behind is cut off,
 * its updates are refused, and the next append tries again.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FileError } from 'shortlist';
import type { Update } from '../servable/contract.ts';
import { isDiskFull, ServingError } from '../status/serving-error.ts';
import type { JournalLock } from './lock.ts';
import { encodeHead, encodeRequest, HEAD_BYTES, headVersion, SEEN_VERSION } from './record.ts';
import { type DamagePolicy, type JournalRecovery, type Replay, replayRequests } from './recovery.ts';
import { keepCopy, replaceBy, syncFolder } from './salvage.ts';

/** When written records are forced to the disk. */
export type FsyncPolicy = 'always' | { everyMs: number };

interface Waiting {
  bytes: Buffer;
  records: number;
  /** Whether readers of earlier versions do not know one of the records. */
  hasSeen: boolean;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** The file operations a journal needs: tests hand in ones that fail. */
export type JournalFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'readFile' | 'stat' | 'close'>;

/** Options of opening a journal. */
export interface JournalOptions {
  /** The last sequence number used before this journal. */
  sequence?: number;
  /** What to do when it is damaged; default 'replay'. */
  onDamage?: DamagePolicy;
  /** Says that no other server appends; released when the journal is closed. */
  lock?: JournalLock;
  openFile?: (path: string) => Promise<JournalFile>;
}

/** An open journal. */
export class Journal {
  readonly recovery: JournalRecovery;
  readonly #file: JournalFile;
  readonly #fsync: FsyncPolicy;
  readonly #lock: JournalLock | undefined;
  #path: string;
  #end: number;
  #records: number;
  #sequence: number;
  /** The format version that the head says. */
  #version: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<unknown> = Promise.resolve();
  #broken: unknown;

  private constructor(
    { path, file, fsync, lock }: { path: string; file: JournalFile; fsync: FsyncPolicy; lock: JournalLock | undefined },
    { end, sequence, version, recovery }: { end: number; sequence: number; version: number; recovery: JournalRecovery },
  ) {
    this.#path = path;
    this.#file = file;
    this.#fsync = fsync;
    this.#lock = lock;
    this.#end = end;
    this.#sequence = sequence;
    this.#version = version;
    this.#records = recovery.records;
    this.recovery = recovery;
  }

  /**
   * Open or create a journal and hand every whole request's records to `replay` in order.
   *
   * @throws {FormatError} when the file is no journal, of a newer version, or damaged and to be refused then
   */
  static async open(
    path: string,
    fsync: FsyncPolicy,
    replay: Replay,
    { sequence = 0, onDamage = 'replay', lock, openFile = openJournalFile }: JournalOptions = {},
  ): Promise<Journal> {
    let file = await openFile(path);
    try {
      let bytes = await file.readFile();
      // A head that was never finished belongs to a journal nothing was acknowledged in.
      const headCut = bytes.length < HEAD_BYTES ? bytes.length : 0;
      if (bytes.length < HEAD_BYTES) {
        bytes = encodeHead();
        await file.truncate(0);
        await file.write(bytes, 0, bytes.length, 0);
        await file.datasync();
        await syncFolder(dirname(path));
      }
      const replayed = await replayRequests(bytes, replay, onDamage, sequence);
      const { recovery, pieces } = replayed;
      let { end } = replayed;
      const version = recovery.damage ? SEEN_VERSION : headVersion(bytes);
      if (recovery.damage) {
        recovery.damage.copy = await keepCopy(path, bytes);
        end = await replaceBy(path, pieces);
        await file.close();
        file = await openFile(path);
      } else if (end < bytes.length) {
        await file.truncate(end);
        await file.datasync();
      }
      if (headCut > 0) {
        recovery.bytesCut = headCut;
        recovery.reason = 'the head is cut off';
      }
      return new Journal({ path, file, fsync, lock }, { end, sequence: replayed.sequence, version, recovery });
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  /** Where the file is. */
  get path(): string {
    return this.#path;
  }

  /** The folder of the file was renamed. */
  moved(path: string): void {
    this.#path = path;
    this.#lock?.moved(dirname(path));
  }

  /** Sequence number of the last record that was handed to `append`. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Records in the file. */
  get records(): number {
    return this.#records;
  }

  /** Bytes of whole records and the head. */
  get sizeBytes(): number {
    return this.#end;
  }

  /**
   * Append updates as one request; resolves when they are as durable as the policy says.
   *
   * @throws {ServingError} UNAVAILABLE when they could not be written; nothing of them is in the journal then
   */
  append(updates: readonly Update[]): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#refusal(this.#broken));
    const bytes = encodeRequest(updates, this.#sequence + 1);
    const records = updates.length;
    const hasSeen = updates.some(({ kind }) => kind === 'seen');
    this.#sequence += records;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, records, hasSeen, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Resolves when everything appended before is on the disk. @throws when the disk could not take it */
  async sync(): Promise<void> {
    await this.#writing;
    if (this.#broken !== undefined) throw this.#refusal(this.#broken);
    await this.#file.datasync();
  }

  /** Finish what was appended, sync, close, and give the lock back. */
  async close(): Promise<void> {
    try {
      await this.#writing;
      clearTimeout(this.#syncTimer);
      await this.#syncing;
      if (this.#broken === undefined) await this.#file.datasync();
    } finally {
      await this.#file.close();
      await this.#lock?.release();
    }
  }

  async #write(): Promise<void> {
    // One turn of the event loop: everything that arrived together is written together.
    await nextTurn();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        if (this.#lock && !(await this.#lock.isHeld())) {
          this.#broken = new FileError('journal: another server has taken its lock over');
          throw this.#broken;
        }
        if (group.some(({ hasSeen }) => hasSeen)) await this.#raiseVersion();
        await this.#writeGroup(Buffer.concat(group.map(({ bytes }) => bytes)));
        for (const { records } of group) this.#records += records;
        for (const { resolve } of group) resolve();
      } catch (error) {
        if (this.#broken === undefined) await this.#cutBack();
        for (const { reject } of group) reject(this.#refusal(error));
      }
    }
    this.#writing = undefined;
  }

  /** Say in the head, before the first record that older servers would take for damage, that they cannot read it. */
  async #raiseVersion(): Promise<void> {
    if (this.#version >= SEEN_VERSION) return;
    await this.#writeAt(encodeHead(SEEN_VERSION), 0);
    await this.#file.datasync();
    this.#version = SEEN_VERSION;
  }

  async #writeAt(bytes: Buffer, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done);
      if (bytesWritten === 0) throw new FileError('journal: the disk takes no more bytes');
      done += bytesWritten;
    }
  }

  async #writeGroup(bytes: Buffer): Promise<void> {
    await this.#writeAt(bytes, this.#end);
    if (this.#fsync === 'always') await this.#file.datasync();
    else this.#syncSoon(this.#fsync.everyMs);
    this.#end += bytes.length;
  }

  #syncSoon(everyMs: number): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      this.#syncing = this.#file.datasync().catch((error) => {
        // The kernel may have dropped what it could not write; going on would acknowledge what is not there.
        this.#broken = error;
      });
    }, everyMs);
  }

  /** Remove what a failed write may have left; when even that fails nothing can be appended any more. */
  async #cutBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#end);
    } catch (error) {
      this.#broken = error;
    }
  }

  #refusal(cause: unknown): ServingError {
    const why = isDiskFull(cause)
      ? 'the disk is full'
      : this.#lock?.isLost
        ? 'another server has taken the journal over'
        : 'the journal could not be written';
    return new ServingError('UNAVAILABLE', `The update was refused: ${why}`, { cause, retryAfterS: 1 });
  }
}

/** Open a file for reading and writing in place, made when it is not there. */
async function openJournalFile(path: string): Promise<JournalFile> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    return open(path, 'wx+');
  }
}
