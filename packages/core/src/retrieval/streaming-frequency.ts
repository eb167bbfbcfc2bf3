/**
 * Estimates the frequency of each key of a stream without a count for each key. Two-tower training corrects the scores
 * of popular candidates with it.
 *
 *   at row t with key y, for each hash function h:   B[h(y)] ← (1 − α) · B[h(y)] + α · (t − A[h(y)]),   A[h(y)] ← t
 *   p(y) = 1 / max over h of B[h(y)]
 *
 * A holds the row at which a bucket was last hit, and B the mean number of rows between two hits. Keys that share a
 * bucket make its interval shorter than that of each key, so the largest interval over the hash functions is the best
 * estimate, as in a count-min sketch.
 *
 * Source: Yi et al. 2019, "Sampling-bias-corrected neural modeling for large corpus item recommendations", algorithms 2
 * and 3. Differences: a step is a row and not a batch, so that p is the share of rows with this key, as
 * `samplingProbabilities` counts it. With a batch as the step, every key that is in most batches would have p = 1. The
 * rate of the first hits is 1 / hits, so that B begins as the mean of their intervals and needs no initial value.
 * Limits: the relative error of p is about √(α / 2) for a frequent key, and 1 / √hits for a rare one. If a key becomes
 * r times as frequent, its p reaches the new value after about ln(r) / α hits; a key that no longer occurs keeps its p.
 */
import { checkArgument, NUMBERS } from '../checks/arguments.ts';
import { checkInteger, checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { Generator } from '../random/generator.ts';

/** Options of `StreamingFrequency`. */
export interface StreamingFrequencyOptions {
  /**
   * Buckets of each hash function, rounded up to a power of 2; there should be several times as many as frequent keys.
   * Default 2^18.
   */
  buckets?: number;
  /** Hash functions; default 2. */
  hashes?: number;
  /** α, above 0 and at most 1: with a larger α the estimate follows a change of frequency sooner. Default 0.01. */
  learningRate?: number;
  /** Seed of the hash functions; default 42. */
  seed?: number;
}

const checkOptions = optionsCheck<StreamingFrequencyOptions>('StreamingFrequency', {
  buckets: NUMBER,
  hashes: NUMBER,
  learningRate: NUMBER,
  seed: NUMBER,
});

/**
 * Two hash functions of 2^18 buckets take 10 MB. With 100,000 keys, one key in ten shares its bucket with another key
 * in both hash functions.
 */
const BUCKETS = 2 ** 18;
const BUCKETS_MAX = 2 ** 28;
const HASHES_MAX = 16;
/** The rate of Yi et al.'s experiments. */
const LEARNING_RATE = 0.01;

/** Frequencies of integer keys in a stream. */
export class StreamingFrequency {
  readonly #hashes: readonly number[];
  readonly #mask: number;
  readonly #learningRate: number;
  /** A of the paper: [hashes, buckets] the row of the last hit, from 1; 0 where there was none. */
  readonly #last: Float64Array;
  /** B of the paper: [hashes, buckets]. */
  readonly #interval: Float64Array;
  /** [hashes, buckets] hits, counted up to 65,535: beyond that the rate is α. */
  readonly #hits: Uint16Array;
  #rows = 0;

  /** @throws {OptionError} when an option is unknown or out of range */
  constructor(options: StreamingFrequencyOptions = {}) {
    const { buckets = BUCKETS, hashes = 2, learningRate = LEARNING_RATE, seed = 42 } = checkOptions(options);
    checkInteger('buckets', buckets, 1, BUCKETS_MAX);
    checkInteger('hashes', hashes, 1, HASHES_MAX);
    checkNumber('learningRate', learningRate, 1 / 0xffff, 1);
    checkInteger('seed', seed, Number.MIN_SAFE_INTEGER);
    const generator = new Generator(seed).fork('streaming-frequency');
    const size = 2 ** Math.ceil(Math.log2(buckets));
    this.#hashes = Array.from({ length: hashes }, () => generator.below(2 ** 31));
    this.#mask = size - 1;
    this.#learningRate = learningRate;
    this.#last = new Float64Array(hashes * size);
    this.#interval = new Float64Array(hashes * size);
    this.#hits = new Uint16Array(hashes * size);
  }

  /** Rows so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Take the next rows of the stream. @param keys [rows] integers of 32 bits */
  add(keys: ArrayLike<number>): void {
    checkArgument('keys', keys, NUMBERS);
    for (let i = 0; i < keys.length; i++) {
      const row = ++this.#rows;
      for (let h = 0; h < this.#hashes.length; h++) {
        const at = this.#bucket(h, keys[i]!);
        const hits = this.#hits[at]! + 1;
        if (hits <= 0xffff) this.#hits[at] = hits;
        const rate = Math.max(this.#learningRate, 1 / hits);
        this.#interval[at]! += rate * (row - this.#last[at]! - this.#interval[at]!);
        this.#last[at] = row;
      }
    }
  }

  /**
   * The estimated share of the rows with each key, above 0 and at most 1; a key that never occurred gets the share of
   * one row.
   *
   * @param keys [n] integers of 32 bits
   * @returns [n]
   */
  probabilities(keys: ArrayLike<number>): Float64Array {
    checkArgument('keys', keys, NUMBERS);
    const rarest = 1 / Math.max(1, this.#rows);
    return Float64Array.from({ length: keys.length }, (_, i) => {
      let interval = 0;
      for (let h = 0; h < this.#hashes.length; h++) {
        const found = this.#interval[this.#bucket(h, keys[i]!)]!;
        // No key of the stream has a bucket without a hit.
        if (found === 0) return rarest;
        interval = Math.max(interval, found);
      }
      return Math.max(rarest, 1 / interval);
    });
  }

  /** The place of a key's bucket: MurmurHash3's finalizer, with a seed for each hash function. */
  #bucket(hash: number, key: number): number {
    let x = (key ^ this.#hashes[hash]!) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    return hash * (this.#mask + 1) + (x & this.#mask);
  }
}
