/**
 * Chooses the source of MovieLens-100K and describes it in one line. In this order: the folder that was named,
 * `$SHORTLIST_DATA/movielens-100k`, the user's cache, a download from the publisher into that cache (not where
 * `SHORTLIST_OFFLINE` is set), and synthetic data. Node only.
 *
 * A named folder that is missing or damaged is an error: a caller who names a data set must not silently get another. A
 * download that fails is no error; the line then says why the data are synthetic.
 */

import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FUNCTION, NUMBER, OBJECT, optionsCheck, SIGNAL, STRING } from '../checks/options.ts';
import { AbortedError, ShortlistError } from '../errors/errors.ts';
import type { DownloadOptions } from './download.ts';
import { type MovieLens, parseMovieLens100K } from './movielens-100k.ts';
import { MOVIELENS_100K_ARCHIVE, type MovieLensArchive } from './movielens-archive.ts';
import { type CachePlace, fillMovieLensCache, movieLensCacheFolder, readMovieLensCache } from './movielens-cache.ts';
import { readMovieLensFolder } from './movielens-folder.ts';
import { syntheticMovieLens } from './synthetic.ts';

/** The source of the data. */
export type MovieLensSource = 'folder' | 'environment' | 'cache' | 'download' | 'synthetic';

/** The data, and a line that says what it is. */
export interface SourcedMovieLens {
  readonly data: MovieLens;
  readonly source: MovieLensSource;
  /** A line of text for people: the data set and its place, and for synthetic data the reason for it. No line feed. */
  readonly line: string;
}

/** The sources to look in, and the properties of the system; everything has a default. */
export interface MovieLensSourceOptions
  extends Partial<CachePlace>,
    Pick<DownloadOptions, 'idleTimeoutMs' | 'totalTimeoutMs' | 'signal' | 'onProgress'> {
  /** Read this folder and no other source. */
  readonly folder?: string | undefined;
  /** The seed of synthetic data; default 42. */
  readonly seed?: number;
  /** The archive to download; default the publisher's. */
  readonly archive?: MovieLensArchive;
}

const checkOptions = optionsCheck<MovieLensSourceOptions>('loadMovieLens', {
  folder: STRING,
  seed: NUMBER,
  archive: OBJECT,
  env: OBJECT,
  platform: STRING,
  home: STRING,
  idleTimeoutMs: NUMBER,
  totalTimeoutMs: NUMBER,
  signal: SIGNAL,
  onProgress: FUNCTION,
});

/**
 * MovieLens-100K from the first source that has it, or else synthetic data.
 *
 * @throws {FileError} when the named folder, or `$SHORTLIST_DATA/movielens-100k`, cannot be read
 * @throws {DataError} naming the file and line that is damaged there
 * @throws {AbortedError} when the signal is raised during the download
 */
export async function loadMovieLens(options: MovieLensSourceOptions = {}): Promise<SourcedMovieLens> {
  const {
    folder,
    seed = 42,
    archive = MOVIELENS_100K_ARCHIVE,
    env = process.env,
    platform = process.platform,
    home = homedir(),
    ...patience
  } = checkOptions(options);
  if (folder !== undefined) {
    return { data: await readMovieLensFolder(folder), source: 'folder', line: `MovieLens-100K from ${folder}` };
  }
  const shared = env.SHORTLIST_DATA ? join(env.SHORTLIST_DATA, 'movielens-100k') : undefined;
  if (shared !== undefined && (await isFolder(shared))) {
    const line = `MovieLens-100K from ${shared} ($SHORTLIST_DATA)`;
    return { data: await readMovieLensFolder(shared), source: 'environment', line };
  }
  const cache = movieLensCacheFolder({ env, platform, home });
  const cached = await readMovieLensCache(cache, archive);
  if (cached !== undefined) {
    return { data: parseMovieLens100K(cached), source: 'cache', line: `MovieLens-100K from ${cache} (cache)` };
  }
  let reason = 'SHORTLIST_OFFLINE is set';
  if (!env.SHORTLIST_OFFLINE) {
    try {
      const data = parseMovieLens100K(await fillMovieLensCache(cache, archive, patience));
      return { data, source: 'download', line: `MovieLens-100K, downloaded from ${archive.url} to ${cache}` };
    } catch (error) {
      if (!(error instanceof ShortlistError) || error instanceof AbortedError) throw error;
      reason = error.message;
    }
  }
  const line = `synthetic data of the shape of MovieLens-100K, seed ${seed} (${reason})`;
  return { data: syntheticMovieLens({ seed }), source: 'synthetic', line };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
