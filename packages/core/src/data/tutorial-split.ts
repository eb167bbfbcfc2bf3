/**
 * The train / test split of TFRS's basic retrieval tutorial, bit for bit, without TensorFlow.
 *
 * The tutorial reads the rows in the order TensorFlow Datasets stores them (by the MD5 of "train" and the row's number
 * in the original file, as a 128-bit integer), shuffles all of them with `tf.data`'s `shuffle(seed=42)` under the global
 * seed 42, and takes the first 80,000 of 100,000 to train and the last 20,000 to test. The movies are not shuffled.
 */
import { checkInteger } from '../checks/numbers.ts';
import { Philox } from '../random/philox.ts';
import { md5Words } from './md5.ts';
import type { MovieLens, Movies } from './movielens-100k.ts';
import { type MovieLensRatings, takeRatings } from './movielens-ratings.ts';

/** The tutorial's `tf.random.set_seed(42)` and `shuffle(..., seed=42)`. */
const TUTORIAL_SEED = 42;

/** What the tutorial trains on, tests on and retrieves from. */
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
  checkInteger('length', length, 0);
  const keys = new Uint32Array(4 * length);
  for (let row = 0; row < length; row++) keys.set(md5Words(`train${row}`), 4 * row);
  return Int32Array.from({ length }, (_, row) => row).sort((a, b) => {
    for (let word = 0; word < 4; word++) {
      const difference = keys[4 * a + word]! - keys[4 * b + word]!;
      if (difference !== 0) return difference;
    }
    return 0;
  });
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

/** The tutorial's split of MovieLens-100K, or of a world of its shape. */
export function tutorialSplit({ interactions, movies }: MovieLens): TutorialSplit {
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
