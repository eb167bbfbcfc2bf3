/**
 * An append-only journal of updates: an update is acknowledged when its record is in the file.
 *
 * Appends that come while a write is under way share the next one (group commit). With `fsync: 'always'` a write is
 * acknowledged after fsync; with `fsync: { everyMs }` after the write itself, and the file is synced at most that many
 * milliseconds later: a killed process loses nothing, a machine that loses power loses at most that span.
 *
 * A damaged tail is cut at the last whole record when the journal is opened, and said in `recovery`. When a write fails
 * (a full disk) what it left behind is cut off, its updates are refused, and the next append tries again.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FileError, FormatError } from 'shortlist';
import type { Update } from '../servable/contract.ts';
import { isDiskFull, ServingError } from '../status/serving-error.ts';
import { decodeRecord, encodeHead, encodeRecord, HEAD_BYTES, headProblem, type JournalRecord } from './record.ts';

/** When written records are forced to the disk. */
export type FsyncPolicy = 'always' | { everyMs: number };

/** What opening a journal found. */
export interface JournalRecovery {
  /** Records that were whole. */
  records: number;
  /** Records of which attributes were left out, and why those of the first were: older servers wrote what does not fit. */
  misfits: number;
  misfit: string | undefined;
  /** Bytes behind the last whole record that were cut off, and why; 0 for a journal that was closed well. */
  bytesCut: number;
  reason: string | undefined;
}

/** Records replayed between two turns of the event loop: some tenths of a millisecond. */
const REPLAYED_AT_ONCE = 16;

interface Waiting {
  bytes: Buffer;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** The file operations a journal needs: tests hand in ones that fail. */
export type JournalFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'readFile' | 'stat' | 'close'>;

/** An open journal. */
export class Journal {
  readonly recovery: JournalRecovery;
  readonly #file: JournalFile;
  readonly #fsync: FsyncPolicy;
  #path: string;
  #end: number;
  #sequence: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<unknown> = Promise.resolve();
  #broken: unknown;

  private constructor(
    path: string,
    file: JournalFile,
    fsync: FsyncPolicy,
    end: number,
    sequence: number,
    recovery: JournalRecovery,
  ) {
    this.#path = path;
    this.#file = file;
    this.#fsync = fsync;
    this.#end = end;
    this.#sequence = sequence;
    this.recovery = recovery;
  }

  /**
   * Open or create a journal, hand every whole record to `replay` in order, and cut off what is behind them.
   *
   * @param replay answers what of a record it left out, where it did
   * @param sequence the last sequence number used before this journal
   * @throws {FormatError} when the file is no journal or of a newer version
   */
  static async open(
    path: string,
    fsync: FsyncPolicy,
    replay: (record: JournalRecord) => string | undefined,
    { sequence = 0, openFile = openJournalFile }: { sequence?: number; openFile?: typeof openJournalFile } = {},
  ): Promise<Journal> {
    const file = await openFile(path);
    try {
      let bytes = await file.readFile();
      // A head that was never finished belongs to a journal nothing was acknowledged in.
      const headCut = bytes.length > 0 && bytes.length < HEAD_BYTES ? bytes.length : 0;
      if (bytes.length < HEAD_BYTES) {
        bytes = encodeHead();
        await file.truncate(0);
        await file.write(bytes, 0, bytes.length, 0);
        await file.datasync();
      }
      const problem = headProblem(bytes);
      if (problem) throw new FormatError('journal', 0, problem);
      let at = HEAD_BYTES;
      let records = 0;
      let misfits = 0;
      let misfit: string | undefined;
      let reason = headCut > 0 ? 'the head is cut off' : undefined;
      let last = sequence;
      while (at < bytes.length) {
        const found = decodeRecord(bytes, at);
        if ('problem' in found) {
          reason = found.problem;
          break;
        }
        const leftOut = replay(found.record);
        if (leftOut !== undefined) misfits++;
        misfit ??= leftOut;
        last = found.record.sequence;
        at = found.end;
        records++;
        // Another version may be serving.
        if (records % REPLAYED_AT_ONCE === 0) await nextTurn();
      }
      const bytesCut = headCut + bytes.length - at;
      if (at < bytes.length) {
        await file.truncate(at);
        await file.datasync();
      }
      return new Journal(path, file, fsync, at, last, { records, misfits, misfit, bytesCut, reason });
    } catch (error) {
      await file.close();
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
  }

  /** Sequence number of the last record that was handed to `append`. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Bytes of whole records and the head. */
  get sizeBytes(): number {
    return this.#end;
  }

  /**
   * Append updates as records; resolves when they are as durable as the policy says.
   *
   * @throws {ServingError} UNAVAILABLE when they could not be written; nothing of them is in the journal then
   */
  append(updates: readonly Update[]): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#refusal(this.#broken));
    const bytes = Buffer.concat(updates.map((update) => encodeRecord({ sequence: ++this.#sequence, update })));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Finish what was appended, sync and close. */
  async close(): Promise<void> {
    await this.#writing;
    clearTimeout(this.#syncTimer);
    await this.#syncing;
    if (this.#broken === undefined) await this.#file.datasync();
    await this.#file.close();
  }

  async #write(): Promise<void> {
    // One turn of the event loop: everything that arrived together is written together.
    await nextTurn();
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#writeGroup(Buffer.concat(group.map(({ bytes }) => bytes)));
        for (const { resolve } of group) resolve();
      } catch (error) {
        await this.#cutBack();
        for (const { reject } of group) reject(this.#refusal(error));
      }
    }
    this.#writing = undefined;
  }

  async #writeGroup(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#end + done);
      if (bytesWritten === 0) throw new FileError('journal: the disk takes no more bytes');
      done += bytesWritten;
    }
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
    const why = isDiskFull(cause) ? 'the disk is full' : 'the journal could not be written';
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
