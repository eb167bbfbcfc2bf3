/**
 * Writes a CSV of ratings of the shape of MovieLens-20M: 138,493 users, 26,744 items, half stars, seconds. It depends only on
 * the seed.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Generator } from 'shortlist/random';

const USERS = 138_493;
const ITEMS = 26_744;
/** The range of times of MovieLens-20M: January 1995 to March 2015. */
const FIRST_SECOND = 789_652_009;
const SECONDS = 637_000_000;
const CHUNK_LETTERS = 1 << 20;

/** Write `rows` ratings. */
export function writeRatings(path: string, rows: number): void {
  const generator = new Generator(42);
  const file = openSync(path, 'w');
  try {
    let text = 'userId,movieId,rating,timestamp\n';
    for (let row = 0; row < rows; row++) {
      const user = 1 + Math.floor(generator.uniform() ** 2 * USERS);
      const item = 1 + Math.floor(generator.uniform() ** 3 * ITEMS);
      const rating = (1 + Math.floor(generator.uniform() * 10)) / 2;
      text += `${user},${item},${rating.toFixed(1)},${FIRST_SECOND + Math.floor(generator.uniform() * SECONDS)}\n`;
      if (text.length > CHUNK_LETTERS) {
        writeSync(file, text);
        text = '';
      }
    }
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
}
