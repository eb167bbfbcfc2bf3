/**
 * The archive in which GroupLens publishes MovieLens-100K, with the lengths and digests of what is in it. The data may
 * not be redistributed, so it is never committed or bundled: everyone fetches it from the publisher. Node only.
 */
import { createHash } from 'node:crypto';
import { DataError } from '../errors/errors.ts';
import type { MovieLensFiles } from './movielens-100k.ts';
import { readZip } from './zip.ts';

/** A zip archive on the web that holds the three files. */
export interface MovieLensArchive {
  readonly url: string;
  readonly sizeBytes: number;
  /** Lower-case hexadecimal, as are those of the files. */
  readonly sha256: string;
  readonly files: {
    readonly [part in keyof MovieLensFiles]: {
      readonly entry: string;
      readonly sizeBytes: number;
      readonly sha256: string;
    };
  };
}

/** The publisher's own. */
export const MOVIELENS_100K_ARCHIVE: MovieLensArchive = {
  url: 'https://files.grouplens.org/datasets/movielens/ml-100k.zip',
  sizeBytes: 4_924_029,
  sha256: '50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229',
  files: {
    ratings: {
      entry: 'ml-100k/u.data',
      sizeBytes: 1_979_173,
      sha256: '06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490',
    },
    movies: {
      entry: 'ml-100k/u.item',
      sizeBytes: 236_344,
      sha256: '553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701',
    },
    users: {
      entry: 'ml-100k/u.user',
      sizeBytes: 22_628,
      sha256: 'f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c',
    },
  },
};

const PARTS = ['ratings', 'movies', 'users'] as const;

/** Whether these are, byte for byte, the files of the archive. */
export function arePublished(files: MovieLensFiles, archive: MovieLensArchive): boolean {
  return PARTS.every((part) => createHash('sha256').update(files[part]).digest('hex') === archive.files[part].sha256);
}

/**
 * The three files out of the archive's bytes.
 *
 * @throws {DataError} when the archive is damaged or holds other files
 */
export function extractMovieLens(bytes: Uint8Array, archive: MovieLensArchive): MovieLensFiles {
  const wanted = new Map(PARTS.map((part) => [archive.files[part].entry, archive.files[part].sizeBytes]));
  const found = readZip(archive.url, bytes, wanted);
  const take = (part: (typeof PARTS)[number]): Uint8Array => found.get(archive.files[part].entry)!;
  const files = { ratings: take('ratings'), movies: take('movies'), users: take('users') };
  if (!arePublished(files, archive))
    throw new DataError(`${archive.url}: expected the published files, got files with other contents`);
  return files;
}
