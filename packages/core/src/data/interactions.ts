/**
 * Interactions of users with movies, as columns: what training, evaluation and the splits pass around.
 *
 * Columns, not objects: a hundred thousand rows are five arrays, and a column is handed to a tower as it is.
 */
import { ShapeError } from '../errors/errors.ts';

/** `length` interactions; row i is element i of every column. */
export interface Interactions {
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
export function takeInteractions(interactions: Interactions, rows: Int32Array): Interactions {
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
