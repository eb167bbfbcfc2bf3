/**
 * Reads and writes folders of versions: `FOLDER/1/model.shortlist`, `FOLDER/2/model.shortlist`, …. A server that serves a
 * folder loads its newest version within a second. A version is written under another name and then renamed, so that a
 * server never finds an incomplete one.
 */
import { chmod, copyFile, mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, FileError } from 'shortlist';
import { isSystemError, removeAbandoned, systemReason } from 'shortlist/node';
import { inFolder } from '../terminal/made-folder.ts';

/** The prefix of the folder of a version that is being written; servers ignore it. */
const UNFINISHED = '.writing-';
const SUFFIX = '.shortlist';
/** Permissions of a new folder, before the process's mask. */
const FOLDER_MODE = 0o777;

/** A version on disk. */
export interface Version {
  readonly version: number;
  /** The path of its bundle. */
  readonly bundle: string;
}

/** The newest version of a folder; undefined if it has none or does not exist. */
export async function newestVersion(folder: string): Promise<Version | undefined> {
  const version = Math.max(0, ...(await versionsOf(folder)));
  if (version === 0) return undefined;
  const path = join(folder, String(version));
  const bundles = (await readdir(path)).filter((name) => name.endsWith(SUFFIX));
  if (bundles.length !== 1) throw new DataError(`${path}: expected one ${SUFFIX} file, got ${bundles.length}`);
  return { version, bundle: join(path, bundles[0]!) };
}

/**
 * The path of a bundle: `path` itself if it is a file, or the newest version if it is a folder.
 *
 * @throws {DataError} when the folder has no version
 */
export async function bundleAt(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return path;
  const newest = await newestVersion(path);
  if (newest === undefined)
    throw new DataError(`${path}: expected a bundle or a folder of versions, got a folder without versions`);
  return newest.bundle;
}

/**
 * Write the next version of a folder. The folder is created if it does not exist.
 *
 * @param write writes the bundle to the path that it is given
 * @throws {FileError} when the folder cannot be written to; then there is no new version
 */
export async function publishVersion(folder: string, write: (path: string) => Promise<void>): Promise<Version> {
  try {
    return await inFolder(folder, () => publishInto(folder, write));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new FileError(`${folder}: cannot be written to: ${systemReason(error)}`, { cause: error });
  }
}

async function publishInto(folder: string, write: (path: string) => Promise<void>): Promise<Version> {
  // The folder above is made again because another process that failed may just have removed it.
  await mkdir(folder, { recursive: true });
  const building = await mkdtemp(join(folder, UNFINISHED));
  try {
    // Those that killed processes left may each be as large as a version.
    await removeAbandoned(building, (name) => name.startsWith(UNFINISHED));
    // mkdtemp makes folders that only their owner may open; a server may run as another user.
    await chmod(building, FOLDER_MODE & ~process.umask());
    const file = join(building, `model${SUFFIX}`);
    await write(file);
    await synced(file);
    await synced(building);
    const version = await named(building, folder);
    await synced(folder);
    return { version, bundle: join(folder, String(version), `model${SUFFIX}`) };
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    throw error;
  }
}

/** Copy a bundle into a folder as its next version. */
export function copyVersion(bundle: string, folder: string): Promise<Version> {
  return publishVersion(folder, (path) => copyFile(bundle, path));
}

/** Rename a folder to the next version number; if another process took that number meanwhile, to the one after it. */
async function named(building: string, folder: string): Promise<number> {
  for (let version = 1 + Math.max(0, ...(await versionsOf(folder))); ; version++) {
    try {
      // Renaming to the name of a folder that is not empty fails.
      await rename(building, join(folder, String(version)));
      return version;
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

async function versionsOf(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => /^(0|[1-9]\d{0,14})$/.test(name)).map(Number);
}

/** Sync a file or a folder to the disk. */
async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
