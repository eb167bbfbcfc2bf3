/**
 * A file that is written at any place under the name `<name>.partial`, and that gets its own name when it is complete.
 * After a kill or an error the partial file stays, so that the work continues where it ended.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PlacedSink } from '../format/placed-container.ts';
import { existing, fileError, flushFolder } from './file.ts';

/** Bytes handed to the system at once: below the 2 GiB that a call may take. */
const WRITE_BYTES_MAX = 1 << 26;

/** The file under its partial name. */
export class PartialFile implements PlacedSink {
  /** True where a partial file of this size was there before. */
  readonly isContinued: boolean;
  readonly #path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle, isContinued: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.isContinued = isContinued;
  }

  /**
   * Continue the partial file of `path` if it has this size, or begin a new one.
   *
   * @throws {FileError} when the system refuses
   */
  static async open(path: string, sizeBytes: number): Promise<PartialFile> {
    const partial = partialPath(path);
    const { mode } = existing(path);
    return refusing(partial, async () => {
      const known = await open(partial, 'r+').catch(() => undefined);
      if (known && (await known.stat()).size === sizeBytes) return new PartialFile(path, known, true);
      await known?.close();
      const made = await open(partial, 'w', mode);
      await made.truncate(sizeBytes);
      return new PartialFile(path, made, false);
    });
  }

  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    await refusing(partialPath(this.#path), async () => {
      for (let at = 0; at < bytes.length; ) {
        const length = Math.min(WRITE_BYTES_MAX, bytes.length - at);
        at += (await this.#handle.write(bytes, at, length, position + at)).bytesWritten;
      }
    });
  }

  /** Wait until what was written is on the disk. */
  async flush(): Promise<void> {
    await refusing(partialPath(this.#path), () => this.#handle.datasync());
  }

  /** Give the file its name; an older file there is replaced as a whole. */
  async complete(): Promise<void> {
    await refusing(partialPath(this.#path), async () => {
      await this.#handle.sync();
      await this.#handle.close();
      const { target } = existing(this.#path);
      await rename(partialPath(this.#path), target);
      await flushFolder(dirname(target));
    });
  }

  /** Close the file under its partial name. A second call does nothing. */
  async close(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }
}

/** Remove the partial file of a path, if there is one. */
export async function removePartial(path: string): Promise<void> {
  await rm(partialPath(path), { force: true });
}

/** The file that a link leads to, or the path itself. @throws {FileError} when it is no file, or the system refuses */
export function targetOf(path: string): string {
  try {
    return existing(path).target;
  } catch (error) {
    throw fileError(error, 'written', path);
  }
}

/** The partial file is beside the file that a link leads to. */
function partialPath(path: string): string {
  return `${targetOf(path)}.partial`;
}

/** Run calls of the file system; an error of the system becomes a FileError. */
async function refusing<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fileError(error, 'written', path);
  }
}
