/**
 * The place where a restarted server looks for a journal, and whether the open file is still there.
 *
 * A version's folder may be a symbolic link that is changed while the version is served, and a folder may be removed,
 * moved or replaced. The server's open file then still accepts writes that no later server reads. The open file and the
 * one at the path are compared by device and inode, which costs one `stat`.
 */
import { type FileHandle, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Device and inode of a file or a folder. */
type FileIdentity = { dev: bigint | number; ino: bigint | number };

const isSame = (one: FileIdentity, other: FileIdentity): boolean => one.dev === other.dev && one.ino === other.ino;

/** The reason why a version whose folder is gone takes no updates. */
export const REMOVED = 'its folder was removed or moved while it was served';

/** Watches the folder of a journal that another server appends to. */
export class FolderPlace {
  readonly #folder: string;
  readonly #identity: FileIdentity;

  private constructor(folder: string, identity: FileIdentity) {
    this.#folder = folder;
    this.#identity = identity;
  }

  static async of(folder: string): Promise<FolderPlace> {
    return new FolderPlace(folder, await stat(folder, { bigint: true }));
  }

  /** Look whether the folder is still the same one. Returns what happened if it is not. */
  async look(): Promise<string | undefined> {
    const now = await stat(this.#folder, { bigint: true }).catch(() => undefined);
    if (!now) return REMOVED;
    return isSame(now, this.#identity) ? undefined : 'its folder was replaced while it was served';
  }
}

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
      if (isSame(await stat(this.#path, { bigint: true }), this.#identity)) return undefined;
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
