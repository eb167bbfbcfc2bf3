/**
 * The place where a restarted server looks for a journal, and whether the open file is still there.
 *
 * A version's folder may be a symbolic link that is changed while the version is served, and a folder may be removed,
 * moved or replaced. The server's open file then still accepts writes that no later server reads. The open file and the
 * one at the path are compared by device and inode, which costs one `stat`.
 */
import { type FileHandle, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Device and inode of a file. */
type FileIdentity = { dev: bigint | number; ino: bigint | number };

/** The place of one open journal. */
export class JournalPlace {
  readonly #identity: FileIdentity;
  /** Path at which a restarted server looks; symbolic links in it are followed again at each look. */
  #path: string;
  #what: string;
  #displacement: string | undefined;

  private constructor(path: string, identity: FileIdentity) {
    this.#path = path;
    this.#identity = identity;
    this.#what = 'the folder of the version';
  }

  /** The place of a file that was opened at a path. */
  static async of(path: string, file: Pick<FileHandle, 'stat'>): Promise<JournalPlace> {
    return new JournalPlace(path, await file.stat({ bigint: true }));
  }

  /** The change of the folder that the last look found; undefined if the file is in its place. */
  get displacement(): string | undefined {
    return this.#displacement;
  }

  /** Set the path at which a restarted server looks, and the number of the version for messages. */
  set(path: string, version?: number): void {
    this.#path = path;
    if (version !== undefined) this.#what = `the folder of version ${version}`;
  }

  /** Look whether the file is in its place. Returns what happened if it is not. */
  async look(): Promise<string | undefined> {
    this.#displacement = await this.#find();
    return this.#displacement;
  }

  async #find(): Promise<string | undefined> {
    try {
      const { dev, ino } = await stat(this.#path, { bigint: true });
      if (dev === this.#identity.dev && ino === this.#identity.ino) return undefined;
      return `${this.#what} was replaced while it was served`;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') return `${this.#what} cannot be read (${code})`;
      const isThere = await stat(dirname(this.#path)).then(
        (entry) => entry.isDirectory(),
        () => false,
      );
      return isThere
        ? `${this.#what} was replaced while it was served, or its journal was removed`
        : `${this.#what} was removed or moved while it was served`;
    }
  }
}
