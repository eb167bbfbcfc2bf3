/**
 * The user's own copy of MovieLens-100K: fetched once from the publisher, then found again. A copy counts only when its
 * three digests are right, so one that is cut or altered is fetched anew. Node only.
 */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join, posix, win32 } from 'node:path';
import { FileError } from '../errors/errors.ts';
import { systemReason } from '../errors/system-errors.ts';
import { type DownloadOptions, download } from './download.ts';
import type { MovieLensFiles } from './movielens-100k.ts';
import { arePublished, extractMovieLens, type MovieLensArchive } from './movielens-archive.ts';
import { MOVIELENS_FILE_NAMES, readMovieLensFiles } from './movielens-folder.ts';
import { removeAbandoned } from './unfinished-files.ts';

/** The prefix of the folder in which the files are written. */
const NEW_PREFIX = 'new-';

/** The parts of the system that decide where a user's cache folder is. */
export interface CachePlace {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/** `shortlist/movielens-100k` in `$XDG_CACHE_HOME`, else in `~/.cache`; on Windows in `%LOCALAPPDATA%`. */
export function movieLensCacheFolder({ env, platform, home }: CachePlace): string {
  if (platform === 'win32') {
    const local = env.LOCALAPPDATA || win32.join(home, 'AppData', 'Local');
    return win32.join(local, 'shortlist', 'cache', 'movielens-100k');
  }
  // The XDG specification: a relative path is invalid and to be ignored.
  const given = env.XDG_CACHE_HOME;
  const cache = given !== undefined && posix.isAbsolute(given) ? given : posix.join(home, '.cache');
  return posix.join(cache, 'shortlist', 'movielens-100k');
}

/** The cached files, or undefined where there are none or they are not the published ones. */
export async function readMovieLensCache(
  folder: string,
  archive: MovieLensArchive,
): Promise<MovieLensFiles | undefined> {
  const files = await readMovieLensFiles(folder).catch(() => undefined);
  return files !== undefined && arePublished(files, archive) ? files : undefined;
}

/**
 * Fetch the archive and put its three files into `folder`, each written beside and renamed.
 *
 * @throws {DownloadError} when the archive cannot be fetched, or is not the published one
 * @throws {FileError} when the folder cannot be written
 * @throws {AbortedError} when the signal is raised; the next call goes on from there
 */
export async function fillMovieLensCache(
  folder: string,
  archive: MovieLensArchive,
  options: Pick<DownloadOptions, 'idleTimeoutMs' | 'totalTimeoutMs' | 'signal' | 'onProgress'>,
): Promise<MovieLensFiles> {
  const { url, sizeBytes, sha256 } = archive;
  const bytes = await download({ ...options, url, sizeBytes, sha256, partFile: join(folder, 'ml-100k.zip.part') });
  const files = extractMovieLens(bytes, archive);
  try {
    // A folder of its own, so that two processes never write the same file.
    const beside = await mkdtemp(join(folder, NEW_PREFIX));
    try {
      await removeAbandoned(beside, (name) => name.startsWith(NEW_PREFIX));
      for (const part of ['ratings', 'movies', 'users'] as const) {
        const name = MOVIELENS_FILE_NAMES[part];
        await writeFile(join(beside, name), files[part]);
        await rename(join(beside, name), join(folder, name));
      }
    } finally {
      await rm(beside, { recursive: true, force: true });
    }
  } catch (cause) {
    throw new FileError(`${folder}: expected a folder to write to, got a refusal: ${systemReason(cause)}`, { cause });
  }
  return files;
}
