/**
 * Centroids as int16 in panels, two dimensions side by side: [panel][pair of dimensions][centroid of the panel][2], so that
 * one instruction multiplies a pair of dimensions of several centroids.
 *
 * The functions process one centroid per call, so that they are compiled after some calls. A single loop over all
 * centroids runs once per process and is only interpreted; queries waited milliseconds for it.
 */

/** The norm of the longest centroid in int16: a product of two such vectors fits int32. */
export const INT16_NORM = 32_000;

/** |x|² of the vector of d numbers that begins at `at`. */
export function squaredNorm(data: Float32Array, at: number, d: number): number {
  let square = 0;
  for (let t = at; t < at + d; t++) square += data[t]! * data[t]!;
  return square;
}

/**
 * Write scale · x of the vector at `at` to its place in the panels.
 *
 * @param panel centroids of a panel
 * @param first place of the first dimension, in int16
 * @returns sum of the absolute values written
 */
export function packInt16(
  to: Int16Array,
  first: number,
  panel: number,
  from: Float32Array,
  at: number,
  d: number,
  scale: number,
): number {
  let sum = 0;
  for (let t = 0; t < d; t++) {
    const value = Math.round(from[at + t]! * scale);
    to[first + 2 * panel * (t >> 1) + (t & 1)] = value;
    sum += Math.abs(value);
  }
  return sum;
}
