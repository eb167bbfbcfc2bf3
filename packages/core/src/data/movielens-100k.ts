/**
 * The three files of MovieLens-100K as columns: `u.data` (ratings, tab), `u.item` (movies, `|`), `u.user` (users, `|`).
 *
 * Source: the README of the data set, GroupLens, University of Minnesota; F. M. Harper and J. A. Konstan, "The MovieLens
 * Datasets: History and Context", ACM TiiS 5(4), 2015. The files are ISO-8859-1 and have no header. Rows stay as they
 * are: 18 titles stand on two rows each. Pure functions of bytes, so they run in a browser too.
 * Left out: the video release date (always empty) and the address in `u.item`.
 */

import { checkArgument } from '../checks/arguments.ts';
import { shown } from '../checks/numbers.ts';
import { objectWith } from '../checks/options.ts';
import { DataError } from '../errors/errors.ts';
import type { MovieLensRatings } from './movielens-ratings.ts';

/** The published row counts. */
export const MOVIELENS_100K_ROWS = { ratings: 100_000, movies: 1_682, users: 943 } as const;

/** The genres in the order of the flags in `u.item`. */
export const MOVIELENS_GENRES: readonly string[] = [
  ...['unknown', 'Action', 'Adventure', 'Animation', "Children's", 'Comedy', 'Crime', 'Documentary', 'Drama'],
  ...['Fantasy', 'Film-Noir', 'Horror', 'Musical', 'Mystery', 'Romance', 'Sci-Fi', 'Thriller', 'War', 'Western'],
];

/** Fields of `u.item` before the genre flags: id, title, release date, video release date, address. */
const ITEM_FIELDS = 5;

/** `length` movies; row i is element i of every column. */
export interface Movies {
  readonly length: number;
  readonly ids: readonly string[];
  readonly titles: readonly string[];
  /** As written, for example `01-Jan-1995`; empty where unknown. */
  readonly releaseDates: readonly string[];
  /** Names out of `MOVIELENS_GENRES`. */
  readonly genres: readonly (readonly string[])[];
}

/** `length` users; row i is element i of every column. */
export interface Users {
  readonly length: number;
  readonly ids: readonly string[];
  readonly ages: Uint8Array;
  /** `M` or `F`, as written. */
  readonly genders: readonly string[];
  readonly occupations: readonly string[];
  readonly zipCodes: readonly string[];
}

/** MovieLens-100K, or synthetic data of its shape. */
export interface MovieLens {
  readonly interactions: MovieLensRatings;
  readonly movies: Movies;
  readonly users: Users;
}

/** The bytes of the three files. */
export interface MovieLensFiles {
  /** `u.data` */
  readonly ratings: Uint8Array;
  /** `u.item` */
  readonly movies: Uint8Array;
  /** `u.user` */
  readonly users: Uint8Array;
}

/**
 * Parse the three files and check their row counts.
 *
 * @throws {DataError} naming the file, and the line (from 1) that is damaged
 */
export function parseMovieLens100K(files: MovieLensFiles): MovieLens {
  checkArgument('files', files, objectWith('the texts of ratings, movies and users', 'ratings', 'movies', 'users'));
  const users = parseUsers(files.users);
  const movies = parseMovies(files.movies);
  return { interactions: parseRatings(files.ratings, users, movies), movies, users };
}

/**
 * Parse `u.user`: id, age, gender, occupation, zip code.
 *
 * @throws {DataError} naming the damaged line
 */
export function parseUsers(bytes: Uint8Array, rows: number = MOVIELENS_100K_ROWS.users): Users {
  const lines = new Lines('u.user', bytes, '|', rows);
  const ids = new Set<string>();
  const ages = new Uint8Array(rows);
  const genders: string[] = [];
  const occupations: string[] = [];
  const zipCodes: string[] = [];
  for (let i = 0; i < rows; i++) {
    const [id, age, gender, occupation, zipCode] = lines.fields(i, 5) as [string, string, string, string, string];
    lines.check(i, isNumber(id) && !ids.has(id), 'a new user id', id);
    lines.check(i, isNumber(age) && Number(age) < 128, 'an age', age);
    lines.check(i, gender === 'M' || gender === 'F', 'M or F', gender);
    lines.check(i, occupation !== '' && zipCode !== '', 'an occupation and a zip code', `${occupation}|${zipCode}`);
    ids.add(id);
    ages[i] = Number(age);
    genders.push(gender);
    occupations.push(occupation);
    zipCodes.push(zipCode);
  }
  return { length: rows, ids: [...ids], ages, genders, occupations, zipCodes };
}

/**
 * Parse `u.item`: id, title, release date, video release date, address, 19 genre flags.
 *
 * @throws {DataError} naming the damaged line
 */
export function parseMovies(bytes: Uint8Array, rows: number = MOVIELENS_100K_ROWS.movies): Movies {
  const lines = new Lines('u.item', bytes, '|', rows);
  const ids = new Set<string>();
  const titles: string[] = [];
  const releaseDates: string[] = [];
  const genres: string[][] = [];
  for (let i = 0; i < rows; i++) {
    const fields = lines.fields(i, ITEM_FIELDS + MOVIELENS_GENRES.length);
    const [id, title, releaseDate] = fields as [string, string, string];
    lines.check(i, isNumber(id) && !ids.has(id), 'a new movie id', id);
    lines.check(i, title !== '', 'a title', title);
    lines.check(i, /^(\d{1,2}-[A-Z][a-z]{2}-\d{4})?$/.test(releaseDate), 'a date such as 01-Jan-1995', releaseDate);
    const flags = fields.slice(ITEM_FIELDS);
    const wrong = flags.find((flag) => flag !== '0' && flag !== '1');
    lines.check(i, wrong === undefined, 'genre flags 0 or 1', wrong);
    ids.add(id);
    titles.push(title);
    releaseDates.push(releaseDate);
    genres.push(MOVIELENS_GENRES.filter((_, flag) => flags[flag] === '1'));
  }
  return { length: rows, ids: [...ids], titles, releaseDates, genres };
}

/**
 * Parse `u.data`: user id, movie id, stars, seconds since 1970. Every user and movie must be known, every pair new.
 *
 * @throws {DataError} naming the damaged line
 */
export function parseRatings(
  bytes: Uint8Array,
  users: Users,
  movies: Movies,
  rows: number = MOVIELENS_100K_ROWS.ratings,
): MovieLensRatings {
  const lines = new Lines('u.data', bytes, '\t', rows);
  const userRows = new Map(users.ids.map((id, row) => [id, row]));
  const movieRows = new Map(movies.ids.map((id, row) => [id, row]));
  const rated = new Uint8Array(users.length * movies.length);
  const userIds: string[] = [];
  const movieIds: string[] = [];
  const titles: string[] = [];
  const ratings = new Uint8Array(rows);
  const timestamps = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const [userId, movieId, stars, timestamp] = lines.fields(i, 4) as [string, string, string, string];
    const user = userRows.get(userId) ?? lines.fail(i, 'the id of a user in u.user', userId);
    const movie = movieRows.get(movieId) ?? lines.fail(i, 'the id of a movie in u.item', movieId);
    const pair = user * movies.length + movie;
    lines.check(i, rated[pair] === 0, 'a user and a movie not rated before', `${userId} and ${movieId}`);
    lines.check(i, /^[1-5]$/.test(stars), 'a rating from 1 to 5', stars);
    lines.check(i, isNumber(timestamp), 'seconds since 1970', timestamp);
    rated[pair] = 1;
    // The strings of users and movies are reused, so that the text of the whole file can be freed.
    userIds.push(users.ids[user]!);
    movieIds.push(movies.ids[movie]!);
    titles.push(movies.titles[movie]!);
    ratings[i] = Number(stars);
    timestamps[i] = Number(timestamp);
  }
  return { length: rows, userIds, movieIds, titles, ratings, timestamps };
}

/** Up to 15 digits: exact as a number. */
function isNumber(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

/** The lines of one file, and complaints that name them. */
class Lines {
  readonly #file: string;
  readonly #separator: string;
  readonly #lines: string[];

  constructor(file: string, bytes: Uint8Array, separator: string, rows: number) {
    this.#file = file;
    this.#separator = separator;
    this.#lines = latin1(bytes).split('\n');
    // The file ends with a line feed; a copy whose last one is lost is still whole.
    if (this.#lines.at(-1) === '') this.#lines.pop();
    if (this.#lines.length > rows) throw new DataError(`${file}: expected ${rows} lines, got ${this.#lines.length}`);
  }

  /** The fields of line `i` (from 0). A carriage return at its end, left by a text-mode copy, is dropped. */
  fields(i: number, count: number): string[] {
    const line = this.#lines[i];
    if (line === undefined)
      throw new DataError(`${this.#file}, line ${i + 1}: expected a line, got the end of the file`);
    const fields = (line.endsWith('\r') ? line.slice(0, -1) : line).split(this.#separator);
    this.check(i, fields.length === count, `${count} fields`, `${fields.length}`);
    return fields;
  }

  check(i: number, holds: boolean, expected: string, got: string | undefined): void {
    if (!holds) this.fail(i, expected, got);
  }

  fail(i: number, expected: string, got: string | undefined): never {
    throw new DataError(`${this.#file}, line ${i + 1}: expected ${expected}, got ${shown(got)}`);
  }
}

/** ISO-8859-1 to text. (TextDecoder's `latin1` is windows-1252, another encoding.) ASCII is UTF-8, too, and decoded faster. */
function latin1(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte < 0x80)) return new TextDecoder().decode(bytes);
  // The chunk keeps the argument list far below every engine's limit.
  const chunkBytes = 8_192;
  let text = '';
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    text += String.fromCharCode(...bytes.subarray(start, start + chunkBytes));
  }
  return text;
}
