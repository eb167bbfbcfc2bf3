/**
 * The co-occurrence matrix of query and candidate ids. It is never stored; a product with it is computed in a pass over
 * the rows of the training data.
 *
 *   with labels      A[i, j] = Σ over rows (i, j) of label − mean label
 *   without labels   A[i, j] = number of rows (i, j)
 *
 * Its leading singular directions are found by randomized subspace iteration: Halko, Martinsson, Tropp, SIAM Review 2011.
 * Letters: w directions. The matrix is not divided by √(rows of i · rows of j), as spectral clustering does, so that popular ids
 * have more influence on the clusters (docs/decisions/pointers-from-co-occurrence.md tells why).
 */

import { ShapeError } from '../errors/errors.ts';
import type { Generator } from '../random/generator.ts';
import { checkIds } from './ids.ts';

/** Rows of training data; row i holds a query id and a candidate id that occur together. */
export interface CoOccurrences {
  /** [N] ids of the query table. */
  queries: Int32Array;
  /** [N] ids of the candidate table. */
  candidates: Int32Array;
  /** [N] 1 for a click, 0 for none; without labels every row is a click. */
  labels?: Uint8Array;
}

/** The co-occurrence matrix [query ids, candidate ids] of rows of training data. */
export class CoOccurrenceMatrix {
  readonly #ids: readonly [Int32Array, Int32Array];
  readonly #sizes: readonly [number, number];
  readonly #weights: Float32Array;
  /** For each side, the number of rows of each id. */
  readonly counts: readonly [Uint32Array, Uint32Array];

  /**
   * @throws {ShapeError} when there is no row or columns differ in length
   * @throws {OptionError} when an id is beyond its vocabulary
   */
  constructor({ queries, candidates, labels }: CoOccurrences, sizes: readonly [number, number]) {
    const { length } = queries;
    if (length === 0 || candidates.length !== length || (labels && labels.length !== length)) {
      const got = `${length} queries, ${candidates.length} candidates, ${labels?.length ?? 'no'} labels`;
      throw new ShapeError(`rows: expected columns of one length and at least one row, got ${got}`);
    }
    this.#ids = [queries, candidates];
    this.#sizes = sizes;
    this.#ids.forEach((ids, side) => {
      checkIds(ids, sizes[side]!);
    });
    const counts = sizes.map((size) => new Uint32Array(size)) as [Uint32Array, Uint32Array];
    for (let row = 0; row < length; row++) {
      counts[0][queries[row]!]!++;
      counts[1][candidates[row]!]!++;
    }
    this.counts = counts;
    const mean = labels ? labels.reduce((sum, label) => sum + label, 0) / length : 0;
    this.#weights = Float32Array.from(queries, (_, row) => (labels?.[row] ?? 1) - mean);
  }

  /**
   * Features [ids of `side`, w] of the ids of one side: their coordinates in w leading singular directions, rotated at random.
   * Ids that occur with similar ids of the other side are near each other.
   */
  features(side: 0 | 1, w: number, hops: number, random: Generator): Float32Array {
    const other = side === 0 ? 1 : 0;
    let partners: Float32Array = Float32Array.from({ length: this.#sizes[other] * w }, () => random.normal());
    for (let hop = 0; hop < hops; hop++) {
      orthonormalize(partners, w);
      const features = this.#times(other, partners, w);
      orthonormalize(features, w);
      partners = this.#times(side, features, w);
    }
    orthonormalize(partners, w);
    return this.#times(other, partners, w);
  }

  /** The product of the matrix (or its transpose) with x [ids of `from`, w]: for each id of the other side, Σ over its rows of weight · x. */
  #times(from: 0 | 1, x: Float32Array, w: number): Float32Array {
    const to = from === 0 ? 1 : 0;
    const [source, target] = [this.#ids[from], this.#ids[to]];
    const sums = new Float32Array(this.#sizes[to] * w);
    for (let row = 0; row < source.length; row++) {
      const weight = this.#weights[row]!;
      const [a, b] = [source[row]! * w, target[row]! * w];
      for (let t = 0; t < w; t++) sums[b + t] = sums[b + t]! + weight * x[a + t]!;
    }
    return sums;
  }
}

/** Make the w columns of x [n, w] orthonormal, one after the other (modified Gram-Schmidt); a column of zeros stays. */
function orthonormalize(x: Float32Array, w: number): void {
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < x.length; i += w) sum += x[i + a]! * x[i + b]!;
    return sum;
  };
  for (let column = 0; column < w; column++) {
    for (let before = 0; before < column; before++) {
      const share = dot(column, before);
      for (let i = 0; i < x.length; i += w) x[i + column] = x[i + column]! - share * x[i + before]!;
    }
    const scale = 1 / (Math.sqrt(dot(column, column)) || 1);
    for (let i = 0; i < x.length; i += w) x[i + column] = x[i + column]! * scale;
  }
}
