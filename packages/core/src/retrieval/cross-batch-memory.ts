/**
 * Cross-batch memory: the candidate vectors of earlier batches as further negatives of a batch.
 *
 * A queue holds the last `size` vectors as they were when their batch was trained; no gradient flows into them. Source: Wang
 * and others, "Cross-Batch Memory for Embedding Learning", CVPR 2020; Wang, Zhu, He, "Cross-Batch Negative Sampling for
 * Training Two-Tower Recommenders", SIGIR 2021. The vectors change fast at the beginning of a training, which
 * `warmupSteps` waits for.
 */
import { ShapeError } from '../errors/errors.ts';
import { Matrix } from '../vectors/matrix.ts';
import type { RetrievalBatch } from './batch.ts';

/** The memory at one moment, for a checkpoint. */
export interface SavedMemory {
  /** [count · stride] the vectors, the earliest first. */
  vectors: Float32Array;
  /** [count] the candidate of each. */
  keys: Int32Array;
  /** [count] its sampling probability; 1 where the loss is not corrected. */
  probabilities: Float64Array;
}

/** A queue of candidate vectors. */
export class CrossBatchMemory {
  readonly size: number;
  readonly warmupSteps: number;
  #stride = 0;
  #vectors: Float32Array = new Float32Array(0);
  #keys: Int32Array = new Int32Array(0);
  #probabilities: Float64Array = new Float64Array(0);

  constructor(size: number, warmupSteps: number) {
    this.size = size;
    this.warmupSteps = warmupSteps;
  }

  /** The number of vectors in the queue. */
  get count(): number {
    return this.#keys.length;
  }

  /** [count] the candidate of each vector. */
  get keys(): Int32Array {
    return this.#keys;
  }

  /** [count] the sampling probability of each. */
  get probabilities(): Float64Array {
    return this.#probabilities;
  }

  /** True where a step uses the queue. */
  isUsedAt(step: number): boolean {
    return step >= this.warmupSteps && this.count > 0;
  }

  /** The candidates of a batch [M, stride], and behind them the vectors of the queue; a new matrix. */
  behind(candidates: Matrix): Matrix {
    const { rows, dimensions, runtime } = candidates;
    if (dimensions !== this.#stride) {
      throw new ShapeError(`memory: expected vectors of width ${dimensions}, got ${this.#stride}`);
    }
    const all = new Matrix(rows + this.count, dimensions, runtime);
    all.data.set(candidates.data);
    all.data.set(this.#vectors, rows * dimensions);
    return all;
  }

  /**
   * Add the candidates of the rows of a batch; the earliest leave the queue.
   *
   * @param keys [B] the candidate of each row
   * @param probabilities [B]; default 1
   */
  add({ candidates, candidateOf }: RetrievalBatch, keys: ArrayLike<number>, probabilities?: ArrayLike<number>): void {
    const d = candidates.dimensions;
    const added = Math.min(keys.length, this.size);
    const kept = Math.min(this.count, this.size - added);
    const [before, first] = [this.count - kept, keys.length - added];
    const vectors = new Float32Array((kept + added) * d);
    vectors.set(this.#vectors.subarray(before * d));
    const [newKeys, shares] = [new Int32Array(kept + added), new Float64Array(kept + added)];
    newKeys.set(this.#keys.subarray(before));
    shares.set(this.#probabilities.subarray(before));
    for (let i = 0; i < added; i++) {
      vectors.set(candidates.row(candidateOf[first + i]!), (kept + i) * d);
      newKeys[kept + i] = keys[first + i]!;
      shares[kept + i] = probabilities ? probabilities[first + i]! : 1;
    }
    this.#stride = d;
    this.#vectors = vectors;
    this.#keys = newKeys;
    this.#probabilities = shares;
  }

  /** The queue, for a checkpoint. */
  save(): SavedMemory {
    return { vectors: this.#vectors, keys: this.#keys, probabilities: this.#probabilities };
  }

  /** Continue with a queue from a checkpoint. @throws {ShapeError} when it is larger than this one */
  restore({ vectors, keys, probabilities }: SavedMemory): void {
    if (keys.length > this.size || probabilities.length !== keys.length) {
      throw new ShapeError(`resume: expected a memory of at most ${this.size} candidates, got ${keys.length}`);
    }
    this.#stride = keys.length === 0 ? 0 : vectors.length / keys.length;
    [this.#vectors, this.#keys, this.#probabilities] = [vectors, keys, probabilities];
  }
}
