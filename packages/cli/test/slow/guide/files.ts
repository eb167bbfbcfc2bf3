/** The files that the guide's pages name, in a folder like a user's project: small files with a taste to learn. */
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Generator } from 'shortlist/random';

const USERS = 60;
const MOVIES = 80;
const RATINGS_OF_USER = 14;
const GENRES = ['Comedy', 'Drama', 'Thriller', 'Animation'];
const DIMENSIONS = 8;
const WORDS = 300;
/** Seconds since 1970: 2020-01-01. */
const FIRST_TIME = 1_577_836_800;

/** Make the folder; `modules` is where the packages are installed. */
export function projectFolder(modules: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-guide-'));
  symlinkSync(modules, join(folder, 'node_modules'), 'junction');
  const write = (name: string, lines: readonly string[]): void =>
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
  const random = new Generator(7);
  write('package.json', ['{ "type": "module" }']);
  write('movies.csv', ['movieId,title,genres', ...Array.from({ length: MOVIES }, (_, i) => movie(i))]);
  write('ratings.csv', ['userId,movieId,rating,timestamp', ...ratings(random, 0)]);
  write('later.csv', ['userId,movieId,rating,timestamp', ...ratings(random, 1)]);
  write('users.txt', ['1', '2', '3']);
  write('users.csv', ['userId,age', ...Array.from({ length: USERS }, (_, i) => `${i + 1},${20 + (i % 40)}`)]);
  write(
    'ids.txt',
    Array.from({ length: WORDS }, (_, i) => `word${i}`),
  );
  write('meta.csv', ['id,title', ...Array.from({ length: WORDS }, (_, i) => `word${i},Word ${i}`)]);
  writeFileSync(
    join(folder, 'vectors.npy'),
    npy(Float32Array.from({ length: WORDS * DIMENSIONS }, () => random.uniform() - 0.5)),
  );
  return folder;
}

function movie(i: number): string {
  const genres = [GENRES[i % GENRES.length], ...(i % 3 === 0 ? [GENRES[(i + 1) % GENRES.length]] : [])];
  return `${i + 1},"Movie, the ${i + 1}th (${1950 + i})",${genres.join('|')}`;
}

/** Users like movies of the genre of their own number, and in the second period others of it. */
function ratings(random: Generator, period: number): string[] {
  const rows: string[] = [];
  for (let user = 0; user < USERS; user++) {
    const own = Array.from({ length: MOVIES }, (_, i) => i).filter((i) => i % GENRES.length === user % GENRES.length);
    const order = random.permutation(own.length);
    for (let place = 0; place < RATINGS_OF_USER / (1 + period); place++) {
      const isOwn = place % 4 !== 3;
      const chosen = isOwn ? own[order[place % own.length]!]! : random.below(MOVIES);
      const time = FIRST_TIME + 86_400 * (place + period * 30);
      rows.push(`${user + 1},${chosen + 1},${isOwn ? 5 : 2},${time}`);
    }
  }
  return rows;
}

/** A .npy of version 1 with rows of float32. */
function npy(values: Float32Array): Buffer {
  const shape = `{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length / DIMENSIONS}, ${DIMENSIONS}), }`;
  const header = Buffer.from(`${shape.padEnd(128 - 10 - 1)}\n`, 'latin1');
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  return Buffer.concat([start, header, Buffer.from(values.buffer)]);
}
