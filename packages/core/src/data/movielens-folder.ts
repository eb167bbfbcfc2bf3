/** Reads the three files of MovieLens-100K from a folder. Node only; the parsers of movielens-100k.ts run everywhere. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkArgument } from '../checks/arguments.ts';
import { STRING } from '../checks/options.ts';
import { FileError } from '../errors/errors.ts';
import { systemReason } from '../errors/system-errors.ts';
import { type MovieLens, type MovieLensFiles, parseMovieLens100K } from './movielens-100k.ts';

/** The file each part is in. */
export const MOVIELENS_FILE_NAMES = { ratings: 'u.data', movies: 'u.item', users: 'u.user' } as const;

/**
 * The bytes of `u.data`, `u.item` and `u.user` in `folder`.
 *
 * @throws {FileError} when one of them cannot be read
 */
export async function readMovieLensFiles(folder: string): Promise<MovieLensFiles> {
  const read = async (name: string): Promise<Uint8Array> => {
    try {
      return await readFile(join(folder, name));
    } catch (cause) {
      throw new FileError(`${join(folder, name)}: expected a file of MovieLens-100K: ${systemReason(cause)}`, {
        cause,
      });
    }
  };
  const [ratings, movies, users] = await Promise.all([
    read(MOVIELENS_FILE_NAMES.ratings),
    read(MOVIELENS_FILE_NAMES.movies),
    read(MOVIELENS_FILE_NAMES.users),
  ]);
  return { ratings, movies, users };
}

/**
 * MovieLens-100K from a folder.
 *
 * @throws {FileError} when a file cannot be read
 * @throws {DataError} naming the file and line that is damaged
 */
export async function readMovieLensFolder(folder: string): Promise<MovieLens> {
  checkArgument('folder', folder, STRING);
  return parseMovieLens100K(await readMovieLensFiles(folder));
}
