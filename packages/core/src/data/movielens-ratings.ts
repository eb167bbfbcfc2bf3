/**
 * Ratings of MovieLens as columns, titles and stars beside the identifiers: what the tutorial trains on.
 */

import { checkArgument } from '../checks/arguments.ts';
import { instanceOf, objectWith } from '../checks/options.ts';
import { ShapeError } from '../errors/errors.ts';

/** `length` interactions; row i is element i of every column. */
export interface MovieLensRatings {
  readonly length: number;
  readonly userIds: readonly string[];
  readonly movieIds: readonly string[];
  /** The movie's title; two movies may have the same one. */
  readonly titles: readonly string[];
  /** Stars, 1 to 5. */
  readonly ratings: Uint8Array;
  /** Seconds since 1970-01-01 UTC. */
  readonly timestamps: Float64Array;
}

/**
 * The interactions at `rows`, in that order.
 *
 * @throws {ShapeError} when a row is not one of the interactions
 */
export function takeRatings(interactions: MovieLensRatings, rows: Int32Array): MovieLensRatings {
  checkArgument('interactions', interactions, objectWith('MovieLens ratings', 'userIds', 'movieIds', 'length'));
  checkArgument(
    'rows',
    rows,
    instanceOf('an Int32Array', () => Int32Array),
  );
  for (const row of rows) {
    if (row < 0 || row >= interactions.length) {
      throw new ShapeError(`rows: expected integers from 0 to ${interactions.length - 1}, got ${row}`);
    }
  }
  return {
    length: rows.length,
    userIds: take(interactions.userIds, rows, new Array<string>(rows.length)),
    movieIds: take(interactions.movieIds, rows, new Array<string>(rows.length)),
    titles: take(interactions.titles, rows, new Array<string>(rows.length)),
    ratings: take(interactions.ratings, rows, new Uint8Array(rows.length)),
    timestamps: take(interactions.timestamps, rows, new Float64Array(rows.length)),
  };
}

/** The elements of a column at `rows`. A loop: `from` with a function takes ten times as long. */
function take<T, To extends { [row: number]: T }>(column: ArrayLike<T>, rows: Int32Array, taken: To): To {
  for (let i = 0; i < rows.length; i++) (taken as { [row: number]: T })[i] = column[rows[i]!]!;
  return taken;
}
