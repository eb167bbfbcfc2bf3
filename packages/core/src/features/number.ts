/**
 * Features of one number per row. A number x becomes one of four: x normalized, as in Keras's Normalization; the signed
 * logarithm of x, normalized; the number of its bucket between learned quantiles, as in Keras's Discretization; or x.
 *
 * With `missing: 'own'` a missing value is bucket 0, or the floats [0, 1] where a present number is [x, 0]; NaN then
 * counts as missing, because files of columns store missing numbers as NaN.
 */
import type { FeatureColumn, FloatColumn } from './contract.ts';
import type { Encoder, FeatureKind, Learned } from './kind.ts';
import { isMissing, type Values } from './mismatches.ts';
import type { NumberFeatureSpec } from './spec.ts';
import { Moments, ValueSample } from './value-sample.ts';

/** The default number of buckets; each has one sixteenth of the rows. */
const NUM_BINS = 16;

/** A number per row. */
export const NUMBER_KIND: FeatureKind<NumberFeatureSpec> = {
  hasWords: false,
  besideField: () => undefined,
  learner(spec, { generator }) {
    const moments = new Moments();
    const sample = new ValueSample(generator);
    const isBucketed = spec.transform === 'quantiles';
    const { numBins = NUM_BINS } = spec;
    return {
      add: (values) =>
        visitNumbers(spec, values, (_, value) => {
          if (value === undefined) return;
          if (isBucketed) sample.add(value);
          else moments.add(scaled(spec, value));
        }),
      finish: () => (isBucketed ? { boundaries: [...boundariesOf(sample.sorted(), numBins)] } : moments.finish()),
    };
  },
  encoder: (spec, learned) => (spec.transform === 'quantiles' ? buckets(spec, learned) : floats(spec, learned)),
  load(spec, learned) {
    if (spec.transform !== 'quantiles') {
      return { mean: learned.number('mean'), deviation: learned.number('deviation', { min: Number.MIN_VALUE }) };
    }
    const boundaries = learned.numbers('boundaries');
    if (boundaries.some((each, i) => i > 0 && each <= boundaries[i - 1]!)) {
      throw learned.error('boundaries', 'expected ascending numbers');
    }
    return { boundaries };
  },
};

/** The number that is normalized: the value, or its signed logarithm. */
function scaled({ transform }: NumberFeatureSpec, value: number): number {
  return transform === 'log' ? Math.sign(value) * Math.log1p(Math.abs(value)) : value;
}

function floats(spec: NumberFeatureSpec, learned: Learned): Encoder {
  const { mean, deviation } =
    spec.transform === 'none' ? { mean: 0, deviation: 1 } : (learned as { mean: number; deviation: number });
  const dimensions = spec.missing === 'own' ? 2 : 1;
  const encode = (values: Values): FloatColumn => {
    const out = new Float32Array(values.values.length * dimensions);
    visitNumbers(spec, values, (row, value) => {
      if (value === undefined) out[row * 2 + 1] = 1;
      else out[row * dimensions] = (scaled(spec, value) - mean) / deviation;
    });
    return { kind: 'floats', dimensions, values: out };
  };
  return { column: 'floats', vocabularySize: 0, dimensions, combiner: 'sum', encode };
}

function buckets(spec: NumberFeatureSpec, learned: Learned): Encoder {
  const boundaries = Float64Array.from(learned.boundaries as readonly number[]);
  const first = spec.missing === 'own' ? 1 : 0;
  const encode = (values: Values): FeatureColumn => {
    const ids = new Int32Array(values.values.length);
    visitNumbers(spec, values, (row, value) => {
      ids[row] = value === undefined ? 0 : first + bucketOf(boundaries, value);
    });
    return { kind: 'ids', ids };
  };
  return { column: 'ids', vocabularySize: first + boundaries.length + 1, dimensions: 0, combiner: 'sum', encode };
}

/** The number of boundaries ≤ value. */
function bucketOf(boundaries: Float64Array, value: number): number {
  let [low, high] = [0, boundaries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (boundaries[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Boundaries of buckets with equal shares of the numbers, without repeated ones: for i = 1 … numBins − 1 the value at the
 * cumulated share i / numBins, interpolated (numpy's interp over the shares 1/n, 2/n, …, as in Keras).
 *
 * @param sorted ascending
 */
export function boundariesOf(sorted: Float64Array, numBins: number): Float64Array {
  const { length } = sorted;
  if (length === 0) return new Float64Array(0);
  if (length < numBins) return distinct(sorted.subarray(0, -1));
  const found = Float64Array.from({ length: numBins - 1 }, (_, i) => {
    const share = ((i + 1) * length) / numBins;
    const below = Math.floor(share);
    const [lower, upper] = [sorted[below - 1]!, sorted[Math.min(length - 1, below)]!];
    return lower + (upper - lower) * (share - below);
  });
  return distinct(found);
}

function distinct(sorted: Float64Array): Float64Array {
  return sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
}

/** Visit each number that fits; a missing number is visited as undefined. */
function visitNumbers(
  { missing = 'error' }: NumberFeatureSpec,
  { values, mismatch }: Values,
  visit: (row: number, value: number | undefined) => void,
): void {
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (missing === 'own' && (isMissing(value) || Number.isNaN(value))) visit(row, undefined);
    else if (typeof value === 'number' && Number.isFinite(value)) visit(row, value);
    else mismatch(row, typeof value === 'number' ? 'a finite number' : 'a number', value);
  }
}
