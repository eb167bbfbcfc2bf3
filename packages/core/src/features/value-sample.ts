/**
 * A uniform sample of a stream of numbers (reservoir sampling: Vitter's algorithm R), and the mean and deviation of a stream
 * (Welford).
 *
 * Up to `SAMPLED_MAX` numbers the sample is the whole stream and its quantiles are exact. Beyond, the share of numbers below an
 * estimated quantile is wrong by more than .01 with a probability below 5·10⁻⁶ (Dvoretzky, Kiefer, Wolfowitz and Massart:
 * 2·exp(−2·n·ε²)).
 */
import type { Generator } from '../random/generator.ts';

/** The size of the sample: half a megabyte of float64 numbers. */
export const SAMPLED_MAX = 65_536;

/** A sample of a stream. */
export class ValueSample {
  readonly #kept: number[] = [];
  readonly #generator: Generator;
  #seen = 0;

  constructor(generator: Generator) {
    this.#generator = generator;
  }

  /** Add the next number of the stream. */
  add(value: number): void {
    this.#seen++;
    if (this.#kept.length < SAMPLED_MAX) {
      this.#kept.push(value);
      return;
    }
    const place = this.#generator.below(this.#seen);
    if (place < SAMPLED_MAX) this.#kept[place] = value;
  }

  /** The numbers of the sample, ascending. */
  sorted(): Float64Array {
    return Float64Array.from(this.#kept).sort();
  }
}

/** Mean and standard deviation of a stream, over all of it, not a sample. */
export class Moments {
  #count = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    this.#count++;
    const before = value - this.#mean;
    this.#mean += before / this.#count;
    this.#squares += before * (value - this.#mean);
  }

  /** The deviation is 1 where all numbers are equal, so that a division by it leaves them finite. */
  finish(): { mean: number; deviation: number } {
    const variance = this.#count === 0 ? 0 : this.#squares / this.#count;
    return { mean: this.#mean, deviation: variance > 0 ? Math.sqrt(variance) : 1 };
  }
}
