/**
 * The drift of an index: the distance of the inserted points from the centroids of the build, and the share of points
 * that would change their leaf if the centroids were trained again.
 *
 * `movedShare`: each centroid is moved to the mean of its built points (counted as the slots of its groups, all at the
 * centroid) and its inserted points. The result is the share of sampled points whose nearest centroid is then another
 * one.
 */
import { Centroids } from '../../../clustering/centroids.ts';
import type { Matrix } from '../../../vectors/matrix.ts';
import type { LeafSet } from '../leaf-set.ts';
import { codedDimensions, GROUP_SLOTS } from '../leaves.ts';

/** Sums over the points inserted into one index. */
export class LeafDrift {
  readonly #leaves: LeafSet;
  /** Sums of the points inserted into each leaf [leaves, d], and their numbers [leaves]. */
  readonly #sums: Float64Array;
  readonly #added: Int32Array;
  #distance = 0;
  #inserted = 0;

  constructor(leaves: LeafSet) {
    this.#leaves = leaves;
    const { leaves: count } = leaves.shape;
    this.#sums = new Float64Array(count * codedDimensions(leaves.shape));
    this.#added = new Int32Array(count);
  }

  /** Points inserted since the build. */
  get inserted(): number {
    return this.#inserted;
  }

  /** Mean squared distance of inserted points from their centroids; 0 where there are none. */
  get meanDistance(): number {
    return this.#inserted > 0 ? this.#distance / this.#inserted : 0;
  }

  /** Count `points` inserts. */
  count(points: number): void {
    this.#inserted += points;
  }

  /**
   * Add a point as it is coded, the row of `data` [n, d] at `row`, to the sums of its leaf.
   *
   * @param near ⟨x, c⟩ − |c|²/2 of the point x and its centroid c
   */
  add(leaf: number, data: Float32Array, row: number, near: number): void {
    const d = codedDimensions(this.#leaves.shape);
    let square = 0;
    for (let t = 0; t < d; t++) {
      const x = data[row * d + t]!;
      square += x * x;
      this.#sums[leaf * d + t]! += x;
    }
    this.#added[leaf]!++;
    this.#distance += Math.max(0, square - 2 * near);
  }

  /**
   * Share of sampled points, as they are coded, that would be in another leaf if the centroids followed the inserted points.
   *
   * @param centroids those of the build
   */
  movedShare(sample: Matrix, centroids: Centroids): number {
    const { shape, runtime } = this.#leaves;
    const d = codedDimensions(shape);
    const moved = new Centroids(shape.leaves, d, runtime);
    const from = centroids.matrix.data;
    const to = moved.matrix.data;
    for (let l = 0; l < shape.leaves; l++) {
      const built = Math.max(1, this.#leaves.builtGroupsOf(l) * GROUP_SLOTS);
      for (let t = 0; t < d; t++) {
        to[l * d + t] = (from[l * d + t]! * built + this.#sums[l * d + t]!) / (built + this.#added[l]!);
      }
    }
    moved.pack();
    const labels = [centroids, moved].map((set) => {
      const own = runtime.heap.allocate(4 * sample.rows);
      const scores = runtime.heap.allocate(4 * sample.rows);
      set.assign(sample.offset, sample.rows, own, scores);
      const copy = own.integers(sample.rows).slice();
      own.free();
      scores.free();
      return copy;
    });
    moved.free();
    return labels[0]!.reduce((sum, leaf, i) => sum + Number(leaf !== labels[1]![i]), 0) / sample.rows;
  }
}
