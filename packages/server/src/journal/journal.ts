/**
 * An append-only journal of updates. An update is acknowledged once its record is in the file.
 *
 * Appends that arrive during a write share the next write (group commit). With `fsync: 'always'` a write is
 * acknowledged after fsync. With `fsync: { everyMs }` it is acknowledged after the write itself, and the file is synced
 * at most that many milliseconds later: a killed process loses no update, and a power failure loses at most the updates
 * of that time.
 *
 * The updates of one append are one request: after a crash either all of them are replayed or none is (requests.ts).
 * When a journal is opened, the rest of an interrupted write is cut off its end. If a journal is damaged in any other
 * way, a copy is kept and every whole request is replayed (recovery.ts). When a write fails, for example on a full
 * disk, its bytes are cut off, its updates are refused, and the next append writes again. Updates are also refused while
 * the file is no longer where a restarted server would look for it (place.ts).
 */
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FileError } from 'shortlist';
import type { Update } from '../servable/contract.ts';
import { isDiskFull, ServingError } from '../status/serving-error.ts';
import type { JournalLock } from './lock.ts';
import { JournalPlace } from './place.ts';
import { encodeHead, encodeRequest, HEAD_BYTES, headVersion, SEEN_VERSION } from './record.ts';
import { type DamagePolicy, type JournalRecovery, type Replay, replayRequests } from './recovery.ts';
import { keepCopy, replaceBy, syncFolder } from './salvage.ts';

/** The work that messages name if they name no other. */
const UPDATE = 'The update';

/** The policy of forcing written records to the disk. */
export type FsyncPolicy = 'always' | { everyMs: number };

interface Waiting {
  bytes: Buffer;
  records: number;
  /** Whether one of the records is unknown to readers of earlier format versions. */
  hasSeen: boolean;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** The file operations that a journal needs; tests replace them by ones that fail. */
export type JournalFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'readFile' | 'stat' | 'close'>;

interface OpenedFile {
  path: string;
  file: JournalFile;
  fsync: FsyncPolicy;
  lock: JournalLock | undefined;
  place: JournalPlace;
}

/** Options of opening a journal. */
export interface JournalOptions {
  /** The last sequence number that was used before this journal began. */
  sequence?: number;
  /** Handling of a damaged journal; default 'replay'. */
  onDamage?: DamagePolicy;
  /** The lock that keeps other servers from appending; released when the journal is closed. */
  lock?: JournalLock;
  openFile?: (path: string) => Promise<JournalFile>;
}

/** An open journal. */
export class Journal {
  readonly recovery: JournalRecovery;
  readonly #file: JournalFile;
  readonly #fsync: FsyncPolicy;
  readonly #lock: JournalLock | undefined;
  readonly #place: JournalPlace;
  #path: string;
  #end: number;
  #records: number;
  #sequence: number;
  /** The format version in the file's head. */
  #version: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<unknown> = Promise.resolve();
  #broken: unknown;

  private constructor(
    { path, file, fsync, lock, place }: OpenedFile,
    { end, sequence, version, recovery }: { end: number; sequence: number; version: number; recovery: JournalRecovery },
  ) {
    this.#path = path;
    this.#file = file;
    this.#fsync = fsync;
    this.#lock = lock;
    this.#place = place;
    this.#end = end;
    this.#sequence = sequence;
    this.#version = version;
    this.#records = recovery.records;
    this.recovery = recovery;
  }

  /**
   * Open or create a journal, and pass the records of every whole request to `replay`, in order.
   *
   * @throws {FormatError} when the file is no journal, has a newer format version, or is damaged and `damage` is
   * 'refuse'
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
      // A journal with an unfinished head holds no acknowledged update.
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
      const place = await JournalPlace.of(path, file);
      return new Journal({ path, file, fsync, lock, place }, { end, sequence: replayed.sequence, version, recovery });
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  /** Path of the file. */
  get path(): string {
    return this.#path;
  }

  /** Set the path of the file after its folder was renamed. */
  moved(path: string): void {
    this.#path = path;
    this.#place.set(path);
    this.#lock?.moved(dirname(path));
  }

  /** Set the version whose updates these are, and the folder in which a restarted server looks for the file. */
  servedAs(version: number, folder: string): void {
    this.#place.set(join(folder, basename(this.#path)), version);
  }

  /** The reason why updates are refused, as of the last look or append; undefined while they are accepted. */
  get refused(): string | undefined {
    return this.#broken === undefined ? this.#place.displacement : this.#why(this.#broken);
  }

  /**
   * Look whether a restarted server would find the file, and whether this server may append to it.
   *
   * @param work the work that is refused otherwise, for messages
   * @param needsBundle false for work that writes another bundle: then the old one may be missing
   * @throws {ServingError} when it would not, or this server may not
   */
  async check(work: string, needsBundle = true): Promise<void> {
    await this.#checkPlace(work, needsBundle);
    await this.#checkLock(work);
  }

  /** Sequence number of the last record that was passed to `append`. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Records in the file. */
  get records(): number {
    return this.#records;
  }

  /** Bytes of the head and of all whole records. */
  get sizeBytes(): number {
    return this.#end;
  }

  /**
   * Append updates as one request; resolves when they are as durable as the fsync policy requires.
   *
   * @throws {ServingError} UNAVAILABLE when they could not be written, FAILED_PRECONDITION when a restarted server would
   * not find them; then the journal holds none of them
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

  /** Resolves when everything that was appended before is on the disk. @throws when it could not be written there */
  async sync(): Promise<void> {
    await this.#writing;
    if (this.#broken !== undefined) throw this.#refusal(this.#broken);
    await this.#file.datasync();
  }

  /** Finish pending appends, sync, close the file, and release the lock. */
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
    // Wait for one turn of the event loop, so that appends that arrive together are written together.
    await nextTurn();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#checkLock();
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

  async #checkLock(work = UPDATE): Promise<void> {
    if (!this.#lock || (await this.#lock.isHeld())) return;
    // Where the whole folder is gone, the lock went with it, and no other server has it.
    await this.#checkPlace(work);
    this.#broken = new FileError('journal: its lock was lost');
    throw this.#refusal(this.#broken, work);
  }

  async #checkPlace(work = UPDATE, needsBundle = true): Promise<void> {
    const displacement = await this.#place.look();
    const { lacksBundle } = this.#place;
    if (displacement === undefined || (lacksBundle && !needsBundle)) return;
    const remedy = lacksBundle
      ? 'put the bundle back, or compact the model, which writes another one'
      : 'publish the model as a new version, or restart the server';
    throw new ServingError(
      'FAILED_PRECONDITION',
      `${work} was refused: ${displacement}, and a restarted server would not find the updates; ${remedy}`,
    );
  }

  /**
   * Raise the format version in the head before the first record that older servers would take for damage, so that they
   * refuse the file instead.
   */
  async #raiseVersion(): Promise<void> {
    if (this.#version >= SEEN_VERSION) return;
    await this.#writeAt(encodeHead(SEEN_VERSION), 0);
    await this.#file.datasync();
    this.#version = SEEN_VERSION;
  }

  async #writeAt(bytes: Buffer, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done);
      if (bytesWritten === 0) throw new FileError('journal: the disk accepts no more bytes');
      done += bytesWritten;
    }
  }

  async #writeGroup(bytes: Buffer): Promise<void> {
    await this.#writeAt(bytes, this.#end);
    if (this.#fsync === 'always') await this.#file.datasync();
    else this.#syncSoon(this.#fsync.everyMs);
    // The look comes after the write, so that what is acknowledged was in its place when it was written.
    await this.#checkPlace();
    this.#end += bytes.length;
  }

  #syncSoon(everyMs: number): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      this.#syncing = this.#file.datasync().catch((error) => {
        // After a failed sync the kernel may have dropped the bytes. To continue would be to acknowledge updates that
        // are not on the disk.
        this.#broken = error;
      });
    }, everyMs);
  }

  /** Cut off the bytes that a failed write may have left. If that fails, too, the journal accepts no more appends. */
  async #cutBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#end);
    } catch (error) {
      this.#broken = error;
    }
  }

  #why(cause: unknown): string {
    if (isDiskFull(cause)) return 'the disk is full';
    if (this.#lock?.isLost) return 'another server has taken the journal over, or its lock file was removed';
    return 'the journal could not be written';
  }

  #refusal(cause: unknown, work = UPDATE): ServingError {
    if (cause instanceof ServingError) return cause;
    return new ServingError('UNAVAILABLE', `${work} was refused: ${this.#why(cause)}`, { cause, retryAfterS: 1 });
  }
}

/** Open a file for reading and for writing at any position; it is created if it does not exist. */
async function openJournalFile(path: string): Promise<JournalFile> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    return open(path, 'wx+');
  }
}
