/**
 * The train / test split of TFRS's basic retrieval tutorial, bit for bit, without TensorFlow.
 *
 * The tutorial reads the rows in the order TensorFlow Datasets stores them (by the MD5 of "train" and the row's number
 * in the original file, as a 128-bit integer), shuffles all of them with `tf.data`'s `shuffle(seed=42)` under the global
 * seed 42, and takes the first 80,000 of 100,000 to train and the last 20,000 to test. The movies are not shuffled.
 */

import { checkArgument } from '../checks/arguments.ts';
import { checkInteger } from '../checks/numbers.ts';
import { objectWith } from '../checks/options.ts';
import { Philox } from '../random/philox.ts';
import { md5Words } from './md5.ts';
import type { MovieLens, Movies } from './movielens-100k.ts';
import { type MovieLensRatings, takeRatings } from './movielens-ratings.ts';

/** The tutorial's `tf.random.set_seed(42)` and `shuffle(..., seed=42)`. */
const TUTORIAL_SEED = 42;

/** The tutorial's training rows, test rows and candidates. */
export interface TutorialSplit {
  /** 4/5 of the interactions, shuffled. */
  readonly train: MovieLensRatings;
  /** The other 1/5. */
  readonly test: MovieLensRatings;
  /** Every row of the movies, repeated titles too, in the order of TensorFlow Datasets. */
  readonly movies: Movies;
}

/** Row numbers 0 … length−1 in the order in which TensorFlow Datasets stores the rows of a `train` split. */
export function tfdsOrder(length: number): Int32Array {
  // The first word and the row in one number below 2^53: a sort without a comparator is many times faster.
  checkInteger('length', length, 0, ROWS_MAX);
  const keys = new Float64Array(length);
  for (let row = 0; row < length; row++) keys[row] = digestOf(row)[0]! * ROWS_MAX + row;
  const order = Int32Array.from(keys.sort(), (key) => key % ROWS_MAX);
  // Digests that begin alike are next to each other, in the order of their rows.
  const first = (at: number): number => Math.floor(keys[at]! / ROWS_MAX);
  for (let begin = 0, end = 1; begin < length; begin = end++) {
    while (end < length && first(end) === first(begin)) end++;
    if (end - begin > 1) order.subarray(begin, end).sort(byDigest);
  }
  return order;
}

/** A row's number has 21 bits beside a word of 32. */
const ROWS_MAX = 2 ** 21;

const digestOf = (row: number): readonly number[] => md5Words(`train${row}`);

function byDigest(a: number, b: number): number {
  const [one, other] = [digestOf(a), digestOf(b)];
  const at = one.findIndex((word, i) => word !== other[i]);
  return at === -1 ? 0 : one[at]! - other[at]!;
}

/**
 * The order of `tf.data.Dataset.range(length).shuffle(bufferSize ≥ length, seed)` under the same global seed.
 *
 * TensorFlow draws j = s + u32 mod (length − s): the modulo's slight bias is part of it.
 */
export function tfShuffle(length: number, seed: number): Int32Array {
  checkInteger('length', length, 0);
  checkInteger('seed', seed, 0, 0xffff_ffff);
  const philox = new Philox([seed, 0], [0, 0, seed, 0]);
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let s = 0; s < length; s++) {
    const j = s + (philox.nextUint32() % (length - s));
    const drawn = order[j]!;
    order[j] = order[s]!;
    order[s] = drawn;
  }
  return order;
}

/** The tutorial's split of MovieLens-100K, or of synthetic data of its shape. */
export function tutorialSplit(movieLens: MovieLens): TutorialSplit {
  checkArgument('movieLens', movieLens, objectWith('interactions and movies', 'interactions', 'movies'));
  const { interactions, movies } = movieLens;
  const stored = tfdsOrder(interactions.length);
  const shuffled = tfShuffle(interactions.length, TUTORIAL_SEED).map((position) => stored[position]!);
  const trainRows = Math.floor((interactions.length * 4) / 5);
  return {
    train: takeRatings(interactions, shuffled.subarray(0, trainRows)),
    test: takeRatings(interactions, shuffled.subarray(trainRows)),
    movies: takeMovies(movies, tfdsOrder(movies.length)),
  };
}

function takeMovies(movies: Movies, rows: Int32Array): Movies {
  const take = <T>(column: readonly T[]): T[] => Array.from(rows, (row) => column[row]!);
  return {
    length: rows.length,
    ids: take(movies.ids),
    titles: take(movies.titles),
    releaseDates: take(movies.releaseDates),
    genres: take(movies.genres),
  };
}
