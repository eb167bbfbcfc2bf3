/**
 * Percentile bootstrap: an interval for a mean over users, which says how far the mean would move with other users of the
 * same kind.
 *
 * Users are drawn with replacement, as many as there are, `resamples` times; the interval is between the quantiles
 * (1 ∓ confidence) / 2 of the means. Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
 */

import { checkArgument, NUMBERS } from '../checks/arguments.ts';
import { checkInteger, checkNumber } from '../checks/numbers.ts';
import { NUMBER, optionsCheck } from '../checks/options.ts';
import { ShapeError } from '../errors/errors.ts';
import { Generator } from '../random/generator.ts';

/** An estimate and its confidence interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Options of a bootstrap. */
export interface BootstrapOptions {
  /** The number of resamples; default 1,000, of which 25 are beyond each end of a 95 % interval. */
  resamples?: number;
  /** The confidence of the interval; default 0.95. */
  confidence?: number;
  /** Default 42. */
  seed?: number;
}

const checkOptions = optionsCheck<BootstrapOptions>('bootstrap', {
  resamples: NUMBER,
  confidence: NUMBER,
  seed: NUMBER,
});

/** Called with each draw: [users] row numbers, valid until the call returns. */
export type OnDraw = (rows: Int32Array) => void;

/** Draw `size` rows with replacement, `resamples` times. */
export function drawRows(size: number, { resamples = 1000, seed = 42 }: BootstrapOptions, onDraw: OnDraw): void {
  checkInteger('resamples', resamples, 1);
  const generator = new Generator(seed).fork('bootstrap');
  const rows = new Int32Array(size);
  for (let draw = 0; draw < resamples; draw++) {
    for (let i = 0; i < size; i++) rows[i] = generator.below(size);
    onDraw(rows);
  }
}

/** The percentile interval of the means of the draws, beside the mean itself. */
export function intervalOf(mean: number, draws: number[], { confidence = 0.95 }: BootstrapOptions): Estimate {
  checkNumber('confidence', confidence, 0, 1);
  const sorted = Float64Array.from(draws).sort();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  return { mean, low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) };
}

/** The mean of one value per user, with its interval. */
export function bootstrapMean(values: Float64Array, options: BootstrapOptions = {}): Estimate {
  checkArgument('values', values, NUMBERS);
  checkOptions(options);
  const draws: number[] = [];
  drawRows(values.length, options, (rows) => {
    let sum = 0;
    for (let i = 0; i < rows.length; i++) sum += values[rows[i]!]!;
    draws.push(sum / rows.length);
  });
  return intervalOf(meanOf(values), draws, options);
}

/**
 * The mean of a − b over the same users, with its interval, to compare two models. The interval is narrower
 * than those of the two means, because a user who is hard for one model is usually hard for the other.
 */
export function bootstrapDifference(a: Float64Array, b: Float64Array, options: BootstrapOptions = {}): Estimate {
  checkArgument('a', a, NUMBERS);
  checkArgument('b', b, NUMBERS);
  if (a.length !== b.length) throw new ShapeError(`b: expected ${a.length} users as in a, got ${b.length}`);
  return bootstrapMean(
    a.map((value, user) => value - b[user]!),
    options,
  );
}

/** Σ / n; 0 of nothing. */
export function meanOf(values: Float64Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
