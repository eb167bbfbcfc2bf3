/**
 * A synthetic data set of the shape of MovieLens-100K, for use where the real one is not available: 943 users, 1,682
 * movies of which 18 have the title of another movie, 100,000 ratings of distinct (user, movie) pairs, at least 20 by
 * each user.
 *
 * The model of the data: every genre is a direction in a latent space, a movie is a point near the mean of its genres, and
 * a user has a taste vector. A user draws movies one after the other, without repetition, with weight
 *
 *   popularity(movie) · appeal(TASTE · ⟨taste, place⟩ / √LATENT)
 *
 * so that a two-tower model finds more than popularity does: after the tutorial's three epochs the top 100
 * hold 29 % of the test movies, against 23 % for the 100 most popular and 6 % for any 100 (seed 42).
 *
 * Popularity and activity have long tails. The same bytes for a seed on every platform (synthetic-draws.ts).
 * Not modelled: time (a user rates in one sitting), and taste that depends on age or occupation.
 */
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { Generator } from '../random/generator.ts';
import { MOVIELENS_100K_ROWS, MOVIELENS_GENRES, type MovieLens, type Movies, type Users } from './movielens-100k.ts';
import type { MovieLensRatings } from './movielens-ratings.ts';
import { appeal, bells, drawDistinct, longTail } from './synthetic-draws.ts';
import { drawTitles } from './synthetic-titles.ts';

/** MovieLens-100K's, beside its row counts. */
const REPEATED_TITLES = 18;
const RATINGS_PER_USER_MIN = 20;
/** The busiest user rates 730 movies and the median user 57; in MovieLens-100K they rate 737 and 65. */
const ACTIVITY_OFFSET = 55;
/** The most popular movie has near 400 ratings; in MovieLens-100K it has 583. */
const POPULARITY_OFFSET = 15;
const LATENT = 8;
/** Distance of a movie from the mean of its genres, relative to the spread of the genres. */
const MOVIE_SPREAD = 0.6;
/** At 1.5 a two-tower model of three epochs is no better than popularity, as on MovieLens-100K; at 3 it is. */
const TASTE = 3;
/** MovieLens-100K was gathered from 1997-09-20 to 1998-04-22. */
const FIRST_SECOND = 874_724_710;
const LAST_SECOND = 893_286_638;
/** Seconds between two ratings of one sitting are below this. */
const PAUSE_SECONDS = 60;
const OCCUPATIONS: readonly string[] = [
  'administrator',
  'artist',
  'engineer',
  'librarian',
  'student',
  'writer',
  'other',
];

const checkOptions = optionsCheck<{ seed?: number }>('syntheticMovieLens', { seed: NUMBER });

/**
 * Synthetic data of a seed.
 *
 * @param options `seed`: any safe integer; the same seed gives the same data on every platform
 */
export function syntheticMovieLens(options: { seed?: number } = {}): MovieLens {
  const { seed = 42 } = checkOptions(options);
  const generator = new Generator(seed).fork('synthetic world');
  const { movies, places } = makeMovies(generator.fork('movies'));
  const users = makeUsers(generator.fork('users'));
  return { interactions: makeInteractions(generator, users, movies, places), movies, users };
}

/** A film before it has a row: a repeated title is one film on two rows. */
interface Film {
  readonly title: string;
  readonly releaseDate: string;
  readonly genres: readonly string[];
  readonly place: Float64Array;
}

function makeMovies(generator: Generator): { movies: Movies; places: Float64Array[] } {
  const length = MOVIELENS_100K_ROWS.movies;
  const directions = MOVIELENS_GENRES.map(() => bells(LATENT, generator));
  const films = drawTitles(length - REPEATED_TITLES, generator).map((name): Film => {
    // Half are of the nineties, as in MovieLens; the others spread over the sixty years before.
    const year = generator.below(2) === 0 ? 1990 + generator.below(9) : 1930 + generator.below(60);
    // One to three genres; number 0 is `unknown`.
    const drawn = Array.from(
      { length: 1 + generator.below(3) },
      () => 1 + generator.below(MOVIELENS_GENRES.length - 1),
    );
    const genres = [...new Set(drawn)].sort((a, b) => a - b);
    const place = bells(LATENT, generator).map((own, d) => {
      const sum = genres.reduce((total, genre) => total + directions[genre]![d]!, 0);
      return sum / genres.length + MOVIE_SPREAD * own;
    });
    return {
      title: `${name} (${year})`,
      releaseDate: `01-Jan-${year}`,
      genres: genres.map((genre) => MOVIELENS_GENRES[genre]!),
      place,
    };
  });
  const repeated = generator.permutation(films.length).subarray(0, REPEATED_TITLES);
  const rows = [...films, ...Array.from(repeated, (film) => films[film]!)];
  const order = Array.from(generator.permutation(length), (row) => rows[row]!);
  return {
    movies: {
      length,
      ids: numbered(length),
      titles: order.map(({ title }) => title),
      releaseDates: order.map(({ releaseDate }) => releaseDate),
      genres: order.map(({ genres }) => genres),
    },
    places: order.map(({ place }) => place),
  };
}

function makeUsers(generator: Generator): Users {
  const length = MOVIELENS_100K_ROWS.users;
  return {
    length,
    ids: numbered(length),
    ages: Uint8Array.from({ length }, () => 15 + generator.below(50)),
    genders: Array.from({ length }, () => (generator.below(10) < 7 ? 'M' : 'F')),
    occupations: Array.from({ length }, () => OCCUPATIONS[generator.below(OCCUPATIONS.length)]!),
    zipCodes: Array.from({ length }, () => String(10_000 + generator.below(90_000))),
  };
}

/** The number of movies that each user rates: RATINGS_PER_USER_MIN and a share of the rest, exactly `total` in all. */
function activities(users: number, total: number, generator: Generator): Int32Array {
  const weights = longTail(users, ACTIVITY_OFFSET, generator);
  const weightSum = weights.reduce((sum, weight) => sum + weight);
  const shared = total - users * RATINGS_PER_USER_MIN;
  const counts = Int32Array.from(weights, (weight) => RATINGS_PER_USER_MIN + Math.floor((shared * weight) / weightSum));
  // Rounding down leaves fewer than one for each user.
  const left = total - counts.reduce((sum, count) => sum + count);
  for (let user = 0; user < left; user++) counts[user]!++;
  return counts;
}

function makeInteractions(
  generator: Generator,
  users: Users,
  movies: Movies,
  places: Float64Array[],
): MovieLensRatings {
  const length = MOVIELENS_100K_ROWS.ratings;
  const counts = activities(users.length, length, generator.fork('activity'));
  const popularity = longTail(movies.length, POPULARITY_OFFSET, generator.fork('popularity'));
  const userIds = new Array<string>(length);
  const movieIds = new Array<string>(length);
  const titles = new Array<string>(length);
  const ratings = new Uint8Array(length);
  const timestamps = new Float64Array(length);
  // Rows are in random order, as in u.data.
  const order = generator.fork('order').permutation(length);
  const [liking, weights] = [new Float64Array(movies.length), new Float64Array(movies.length)];
  let made = 0;
  for (let user = 0; user < users.length; user++) {
    const own = generator.fork('user', user);
    weigh(bells(LATENT, own), places, popularity, liking, weights);
    const picked = drawDistinct(weights, counts[user]!, own);
    const noise = bells(picked.length, own);
    let second = FIRST_SECOND + own.below(LAST_SECOND - FIRST_SECOND - movies.length * PAUSE_SECONDS);
    picked.forEach((movie, i) => {
      const row = order[made++]!;
      userIds[row] = users.ids[user]!;
      movieIds[row] = movies.ids[movie]!;
      titles[row] = movies.titles[movie]!;
      // Stars rise with liking; level and noise are set for MovieLens-100K's mean, 3.5, and use of all five.
      ratings[row] = Math.min(5, Math.max(1, Math.round(3 + 0.15 * liking[movie]! + 0.9 * noise[i]!)));
      timestamps[row] = second += own.below(PAUSE_SECONDS);
    });
  }
  return { length, userIds, movieIds, titles, ratings, timestamps };
}

/**
 * A user's liking of each movie, and the weights with which movies are drawn. A function of its own, which V8 compiles after
 * a few users.
 */
function weigh(
  taste: Float64Array,
  places: readonly Float64Array[],
  popularity: Float64Array,
  liking: Float64Array,
  weights: Float64Array,
): void {
  for (let movie = 0; movie < liking.length; movie++) {
    const x = (TASTE * dot(taste, places[movie]!)) / Math.sqrt(LATENT);
    liking[movie] = x;
    weights[movie] = popularity[movie]! * appeal(x);
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}

/** '1' … 'length', as MovieLens numbers. */
function numbered(length: number): string[] {
  return Array.from({ length }, (_, i) => String(i + 1));
}
