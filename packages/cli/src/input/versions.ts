/**
 * Folders of versions as commands write and read them: `FOLDER/1/model.shortlist`, `FOLDER/2/model.shortlist`, …. A server that
 * serves a folder loads its newest version within a second; a version is written beside the others and renamed, so that no
 * server finds half of one.
 */
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, FileError } from 'shortlist';

/** The prefix of a folder while its version is written, which servers do not read. */
const UNFINISHED = '.writing-';
const SUFFIX = '.shortlist';

/** A version on disk. */
export interface Version {
  readonly version: number;
  /** Its bundle. */
  readonly bundle: string;
}

/** The newest version of a folder; undefined where it has none, or does not exist. */
export async function newestVersion(folder: string): Promise<Version | undefined> {
  const version = Math.max(0, ...(await versionsOf(folder)));
  if (version === 0) return undefined;
  const path = join(folder, String(version));
  const bundles = (await readdir(path)).filter((name) => name.endsWith(SUFFIX));
  if (bundles.length !== 1) throw new DataError(`${path}: expected one ${SUFFIX} file, got ${bundles.length}`);
  return { version, bundle: join(path, bundles[0]!) };
}

/** The bundle that a path means: the file itself, or that of the newest version of a folder. @throws {FileError, DataError} */
export async function bundleAt(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return path;
  const newest = await newestVersion(path);
  if (newest === undefined)
    throw new DataError(`${path}: expected a bundle or a folder of versions, got a folder without`);
  return newest.bundle;
}

/**
 * Write the version after the newest one of a folder, which is made where there is none.
 *
 * @param write is given the path of the bundle to write
 * @throws {FileError} when the system refuses; then there is no new version
 */
export async function publishVersion(folder: string, write: (path: string) => Promise<void>): Promise<Version> {
  const building = join(folder, `${UNFINISHED}${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await mkdir(building);
    const file = join(building, `model${SUFFIX}`);
    await write(file);
    await synced(file);
    await synced(building);
    const version = await named(building, folder);
    await synced(folder);
    return { version, bundle: join(folder, String(version), `model${SUFFIX}`) };
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!(typeof (error as NodeJS.ErrnoException).syscall === 'string')) throw error;
    throw new FileError(`${folder}: cannot be written to: ${(error as Error).message}`, { cause: error });
  }
}

/** Copy a bundle into a folder as the version after its newest one. */
export function copyVersion(bundle: string, folder: string): Promise<Version> {
  return publishVersion(folder, (path) => copyFile(bundle, path));
}

/** Give a folder the next number: where another has taken it meanwhile, the one after. */
async function named(building: string, folder: string): Promise<number> {
  for (let version = 1 + Math.max(0, ...(await versionsOf(folder))); ; version++) {
    try {
      // A rename onto a folder that is not empty is refused.
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

/** Wait until a file's bytes, or a folder's names, are on the disk. */
async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
