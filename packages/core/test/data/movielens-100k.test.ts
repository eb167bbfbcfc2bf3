/** The reader: small files by hand, every kind of damage with its line, and the counts of the real data set. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseMovieLens100K, parseMovies, parseRatings, parseUsers } from '../../src/data/movielens-100k.ts';
import { readMovieLensFiles, readMovieLensFolder } from '../../src/data/movielens-folder.ts';
import { takeRatings } from '../../src/data/movielens-ratings.ts';

const DATA = process.env.SHORTLIST_DATA;
const skip = DATA === undefined && 'SHORTLIST_DATA is not set';

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const flags = (...on: number[]): string => Array.from({ length: 19 }, (_, i) => (on.includes(i) ? '1' : '0')).join('|');
const USERS = '1|24|M|technician|85711\n2|53|F|other|V3N4P\n';
const MOVIES = [
  `7|Légende (1994)|01-Jan-1994||http://x|${flags(8, 18)}\n`,
  `9|unknown||||${flags(0)}\n`,
  `12|L\u0080gende (1994)|01-Jan-1994||http://y|${flags()}\n`,
].join('');
const RATINGS = '2\t7\t5\t881250949\n1\t9\t1\t0\n1\t7\t3\t881250950\n';

const users = parseUsers(latin1(USERS), 2);
const movies = parseMovies(latin1(MOVIES), 3);

/** Checks that damage raises DataError with this message. */
function damaged(parse: () => unknown, message: RegExp): void {
  assert.throws(parse, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'ERR_DATA');
    assert.match(error.message, message);
    return true;
  });
}

test('columns of the three files', () => {
  assert.deepEqual(users, {
    length: 2,
    ids: ['1', '2'],
    ages: Uint8Array.of(24, 53),
    genders: ['M', 'F'],
    occupations: ['technician', 'other'],
    zipCodes: ['85711', 'V3N4P'],
  });
  assert.deepEqual(movies, {
    length: 3,
    ids: ['7', '9', '12'],
    titles: ['Légende (1994)', 'unknown', 'L\u0080gende (1994)'],
    releaseDates: ['01-Jan-1994', '', '01-Jan-1994'],
    genres: [['Drama', 'Western'], ['unknown'], []],
  });
  assert.deepEqual(parseRatings(latin1(RATINGS), users, movies, 3), {
    length: 3,
    userIds: ['2', '1', '1'],
    movieIds: ['7', '9', '7'],
    titles: ['Légende (1994)', 'unknown', 'Légende (1994)'],
    ratings: Uint8Array.of(5, 1, 3),
    timestamps: Float64Array.of(881250949, 0, 881250950),
  });
});

test('carriage returns and a lost last line feed do no harm', () => {
  assert.deepEqual(parseUsers(latin1(USERS.replaceAll('\n', '\r\n')), 2), users);
  assert.deepEqual(parseMovies(latin1(MOVIES.slice(0, -1)), 3), movies);
});

test('a damaged line is named by file and number', () => {
  const ratings = (text: string, rows = 3) => parseRatings(latin1(text), users, movies, rows);
  damaged(() => ratings(RATINGS.replace('1\t9\t1\t0', '1\t9\t1')), /^u\.data, line 2: expected 4 fields, got "3"$/);
  damaged(() => ratings(RATINGS.replace('1\t9\t1\t0', '')), /^u\.data, line 2: expected 4 fields/);
  damaged(() => ratings(RATINGS.replace('9\t1', '9\t6')), /^u\.data, line 2: expected a rating from 1 to 5, got "6"$/);
  damaged(() => ratings(RATINGS.replace('2\t7', '3\t7')), /^u\.data, line 1: expected the id of a user in u\.user/);
  damaged(() => ratings(RATINGS.replace('1\t9', '1\t8')), /^u\.data, line 2: expected the id of a movie in u\.item/);
  damaged(
    () => ratings(RATINGS.replace('881250950', '-1')),
    /^u\.data, line 3: expected seconds since 1970, got "-1"$/,
  );
  damaged(() => ratings(RATINGS.replace('1\t9\t1', '2\t7\t1')), /^u\.data, line 2: .* got "2 and 7"$/);
  damaged(() => ratings(RATINGS, 4), /^u\.data, line 4: expected a line, got the end of the file$/);
  damaged(() => ratings(RATINGS, 2), /^u\.data: expected 2 lines, got 3$/);

  const items = (text: string) => parseMovies(latin1(text), 3);
  damaged(() => items(MOVIES.replace('9|', '7|')), /^u\.item, line 2: expected a new movie id, got "7"$/);
  damaged(() => items(MOVIES.replace('9|unknown', '9|')), /^u\.item, line 2: expected a title/);
  damaged(() => items(MOVIES.replace('01-Jan-1994', '1994')), /^u\.item, line 1: expected a date such as/);
  damaged(() => items(MOVIES.replace('|0\n', '|2\n')), /^u\.item, line 2: expected genre flags 0 or 1, got "2"$/);
  damaged(() => items(MOVIES.replace('|0\n', '\n')), /^u\.item, line 2: expected 24 fields, got "23"$/);

  const people = (text: string) => parseUsers(latin1(text), 2);
  damaged(() => people(USERS.replace('2|53', 'x|53')), /^u\.user, line 2: expected a new user id, got "x"$/);
  damaged(() => people(USERS.replace('24', 'old')), /^u\.user, line 1: expected an age, got "old"$/);
  damaged(() => people(USERS.replace('|M|', '|?|')), /^u\.user, line 1: expected M or F, got "\?"$/);
  damaged(() => people(USERS.replace('other', '')), /^u\.user, line 2: expected an occupation and a zip code/);
});

test('a folder without the files says which is missing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-'));
  await assert.rejects(readMovieLensFolder(folder), {
    code: 'ERR_IO',
    message: /u\.\w+: expected .*: there is no such file or folder \(ENOENT\)$/,
  });
  rmSync(folder, { recursive: true });
});

test('takeRatings keeps the order asked for and refuses a row that is not there', () => {
  const interactions = parseRatings(latin1(RATINGS), users, movies, 3);
  const taken = takeRatings(interactions, Int32Array.of(2, 0, 2));
  assert.deepEqual(taken.userIds, ['1', '2', '1']);
  assert.deepEqual(taken.ratings, Uint8Array.of(3, 5, 3));
  for (const row of [-1, 3]) {
    assert.throws(() => takeRatings(interactions, Int32Array.of(row)), {
      code: 'ERR_SHAPE',
      message: `rows: expected integers from 0 to 2, got ${row}`,
    });
  }
});

test('the real data set: its counts, and damage in the middle of it', { skip }, async () => {
  const files = await readMovieLensFiles(join(DATA!, 'movielens-100k'));
  const { interactions, movies, users } = parseMovieLens100K(files);
  assert.equal(interactions.length, 100_000);
  assert.equal(movies.length, 1_682);
  assert.equal(users.length, 943);
  assert.equal(new Set(movies.titles).size, 1_664);
  assert.equal(movies.titles.filter((title) => /[^ -~]/.test(title)).length > 0, true, 'accents are read as latin-1');
  assert.deepEqual(
    [interactions.userIds[0], interactions.movieIds[0], interactions.titles[0], interactions.ratings[0]],
    ['196', '242', 'Kolya (1996)', 3],
  );
  assert.deepEqual(movies.genres[0], ['Animation', "Children's", 'Comedy']);
  const cut = { ...files, ratings: files.ratings.subarray(0, 1_000_000) };
  damaged(() => parseMovieLens100K(cut), /^u\.data, line \d+: expected/);
});
