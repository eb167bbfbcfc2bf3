/**
 * Ratings of MovieLens as columns, titles and stars beside the identifiers: what the tutorial trains on.
 */
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
  for (const row of rows) {
    if (row < 0 || row >= interactions.length) {
      throw new ShapeError(`rows: expected integers from 0 to ${interactions.length - 1}, got ${row}`);
    }
  }
  return {
    length: rows.length,
    userIds: Array.from(rows, (row) => interactions.userIds[row]!),
    movieIds: Array.from(rows, (row) => interactions.movieIds[row]!),
    titles: Array.from(rows, (row) => interactions.titles[row]!),
    ratings: Uint8Array.from(rows, (row) => interactions.ratings[row]!),
    timestamps: Float64Array.from(rows, (row) => interactions.timestamps[row]!),
  };
}
