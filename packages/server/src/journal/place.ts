/**
 * The place where a restarted server looks for a journal, and whether the open file is still there.
 *
 * A version's folder may be a symbolic link that is changed while the version is served, and a folder may be removed,
 * moved or replaced. The server's open file then still accepts writes that no later server reads. The open file and the
 * one at the path are compared by device and inode, which costs one `stat`.
 */
import { type FileHandle, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The suffix of bundle files. The folder of a served journal has one of them. */
export const BUNDLE_SUFFIX = '.shortlist';

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
  #version: number | undefined;
  /** The path of the bundle that the last look found. */
  #bundle: string | undefined;
  /** Whether any look has found a bundle: only then it can have been removed. */
  #hadBundle = false;
  #lacksBundle = false;
  #displacement: string | undefined;

  private constructor(path: string, identity: FileIdentity) {
    this.#path = path;
    this.#identity = identity;
  }

  /** The place of a file that was opened at a path. */
  static async of(path: string, file: Pick<FileHandle, 'stat'>): Promise<JournalPlace> {
    return new JournalPlace(path, await file.stat({ bigint: true }));
  }

  /** The change of the folder that the last look found; undefined if the file is in its place. */
  get displacement(): string | undefined {
    return this.#displacement;
  }

  /** Whether only the bundle is missing beside the file, as of the last look. */
  get lacksBundle(): boolean {
    return this.#lacksBundle;
  }

  /** Set the path at which a restarted server looks, and the number of the version once it is served. */
  set(path: string, version: number | undefined = this.#version): void {
    this.#path = path;
    this.#version = version;
    this.#bundle = undefined;
  }

  /** Look whether the file is in its place. Returns what happened if it is not. */
  async look(): Promise<string | undefined> {
    this.#lacksBundle = false;
    this.#displacement = await this.#find();
    return this.#displacement;
  }

  async #find(): Promise<string | undefined> {
    const what = this.#what;
    try {
      if (isSame(await stat(this.#path, { bigint: true }), this.#identity)) return await this.#findBundle();
      return `the folder of ${what} was replaced while it was served`;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') return `the folder of ${what} cannot be read (${code})`;
      const isThere = await stat(dirname(this.#path)).then(
        (entry) => entry.isDirectory(),
        () => false,
      );
      return isThere
        ? `the folder of ${what} was replaced while it was served, or its journal was removed`
        : `the folder of ${what} was removed or moved while it was served`;
    }
  }

  get #what(): string {
    return this.#version === undefined ? 'the version' : `version ${this.#version}`;
  }

  /** Look whether a restarted server would find a bundle beside the file of a served version. */
  async #findBundle(): Promise<string | undefined> {
    if (this.#version === undefined) return undefined;
    if (this.#bundle !== undefined && (await isThere(this.#bundle))) return undefined;
    const folder = dirname(this.#path);
    const name = (await readdir(folder)).find((name) => name.endsWith(BUNDLE_SUFFIX));
    this.#bundle = name === undefined ? undefined : join(folder, name);
    this.#hadBundle ||= name !== undefined;
    if (name !== undefined || !this.#hadBundle) return undefined;
    this.#lacksBundle = true;
    return `the bundle of ${this.#what} was removed while it was served`;
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
