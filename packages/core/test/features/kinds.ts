/** Every kind of feature with values that fit it, values that do not, and their columns; the cases of all tests of features. */
import type { FeatureSpec } from '../../src/features/spec.ts';

/** One spec with its values. */
export interface KindCase {
  name: string;
  spec: FeatureSpec;
  /** Values that are learned and then encoded. */
  values: readonly unknown[];
  /** Values of the second field. */
  beside?: readonly unknown[];
  /** Values that do not fit, each with the text that its error contains. */
  refused: readonly (readonly [value: unknown, words: RegExp])[];
  /** The encoded column: ids, lists of ids or floats per row. */
  expected: readonly unknown[];
  /** The weights of the lists. */
  weights?: readonly (readonly number[])[];
  /** The column of a missing value where `missing` is 'own', and of the first value. */
  expectedOwn: readonly [missing: unknown, first: unknown];
}

const day = 86_400;
/** 2024-02-29 23:30 UTC, a Thursday. */
const LEAP = Date.UTC(2024, 1, 29, 23, 30) / 1000;

export const KIND_CASES: readonly KindCase[] = [
  {
    name: 'string',
    spec: { type: 'string' },
    // Keras: the most frequent first, then descending: [UNK], d, z, c, b, a.
    values: ['a', 'c', 'd', 'd', 'z', 'b', ''],
    refused: [
      [7, /expected a string, got 7/],
      [null, /expected a string, got null/],
      [undefined, /got none/],
    ],
    expected: [5, 3, 1, 1, 2, 4, 0],
    expectedOwn: [0, 6],
  },
  {
    name: 'integer',
    spec: { type: 'integer' },
    values: [42, 42n, -1, 7, 42],
    refused: [
      ['42', /expected an integer, got "42"/],
      [1.5, /expected an integer, got 1.5/],
      [2 ** 53, /expected an integer/],
      [Number.NaN, /expected an integer, got NaN/],
    ],
    expected: [1, 1, 3, 2, 1],
    expectedOwn: [0, 2],
  },
  {
    name: 'bag',
    spec: { type: 'bag', maxLength: 2, combiner: 'sum' },
    values: [['a', 'b', 'c'], [], ['b'], ['', 'b', '']],
    refused: [
      ['a,b', /expected a list of strings, got "a,b"/],
      [['a', 1], /expected a string at position 1 of the list, got 1/],
      [undefined, /got none/],
    ],
    expected: [[2, 1], [], [1], [1]],
    expectedOwn: [[], [3, 2]],
  },
  {
    name: 'sequence',
    spec: { type: 'sequence', of: 'integer', maxLength: 3, recencyDecay: 0.5 },
    values: [[9, 1, 2, 3], [], [3], [1, 0, 0].filter((each) => each > 0)],
    refused: [
      [{ 0: 1 }, /expected a list of integers, got Object/],
      [[1, null], /expected an integer at position 1 of the list, got null/],
    ],
    expected: [[2, 3, 1], [], [1], [2]],
    weights: [[0.25, 0.5, 1], [], [1], [1]],
    expectedOwn: [[], [3, 4, 2]],
  },
  {
    name: 'weighted bag',
    spec: { type: 'bag', weights: 'ratings' },
    values: [['a', '', 'b'], ['b']],
    beside: [[5, 9, 1], Float32Array.of(2)],
    refused: [['x', /expected a list/]],
    expected: [[2, 1], [1]],
    weights: [[5, 1], [2]],
    expectedOwn: [[], [3, 2]],
  },
  {
    name: 'number',
    spec: { type: 'number' },
    // Keras's Normalization: mean 3, variance 2.
    values: [1, 2, 3, 4, 5],
    refused: [
      ['3', /expected a number, got "3"/],
      [Number.NaN, /expected a finite number, got NaN/],
      [Number.POSITIVE_INFINITY, /expected a finite number/],
      [null, /expected a number, got null/],
    ],
    expected: [-Math.SQRT2, -Math.SQRT1_2, 0, Math.SQRT1_2, Math.SQRT2].map((each) => [each]),
    expectedOwn: [
      [0, 1],
      [-Math.SQRT2, 0],
    ],
  },
  {
    name: 'logarithm',
    spec: { type: 'number', transform: 'log' },
    values: [Math.E - 1, 1 - Math.E],
    refused: [[true, /expected a number, got true/]],
    expected: [[1], [-1]],
    expectedOwn: [
      [0, 1],
      [1, 0],
    ],
  },
  {
    name: 'quantiles',
    spec: { type: 'number', transform: 'quantiles', numBins: 4 },
    // Keras's Discretization(num_bins=4, epsilon=0.01), adapted to and called with these.
    values: [-1.5, 1, 3.4, 0.5, 0, 3, 1.3, 0],
    refused: [['x', /expected a number/]],
    expected: [0, 2, 3, 2, 1, 3, 3, 1],
    expectedOwn: [0, 1],
  },
  {
    name: 'number as it is',
    spec: { type: 'number', transform: 'none' },
    values: [7, -0.5],
    refused: [[[1], /expected a number, got an array of 1/]],
    expected: [[7], [-0.5]],
    expectedOwn: [
      [0, 1],
      [7, 0],
    ],
  },
  {
    name: 'hour',
    spec: { type: 'time', part: 'hour', utcOffsetMinutes: 60 },
    values: [LEAP, '2024-02-29T23:30:00Z', '2024-02-29 12:00:00+02:00', new Date(0), '1969-12-31', -1n],
    refused: [
      ['2024-02-30', /expected a time in seconds since 1970.*got "2024-02-30"/],
      [LEAP * 1000, /expected a time in seconds/],
      ['yesterday', /ISO 8601, got "yesterday"/],
      [Number.NaN, /got NaN/],
    ],
    expected: [0, 0, 11, 1, 1, 0],
    expectedOwn: [0, 1],
  },
  {
    name: 'weekday',
    spec: { type: 'time', part: 'weekday', unit: 'milliseconds' },
    values: [LEAP * 1000, 0, '2024-03-03T00:00:00.000+00:00', '1969-12-29'],
    refused: [[{}, /expected a time in milliseconds/]],
    expected: [3, 3, 6, 0],
    expectedOwn: [0, 4],
  },
  {
    name: 'age',
    spec: { type: 'time', part: 'age' },
    // Days before the newest: e² − 1, 0 and 0 (in the future of none): logarithms 2, 0.
    values: [LEAP - (Math.E ** 2 - 1) * day, LEAP],
    refused: [['', /expected a time/]],
    expected: [[1], [-1]],
    expectedOwn: [
      [0, 1],
      [1, 0],
    ],
  },
  {
    name: 'age against a field',
    spec: { type: 'time', part: 'age', now: 'at' },
    values: [LEAP - (Math.E - 1) * day, LEAP + day],
    beside: [LEAP, '2024-02-29T23:30Z'],
    refused: [['', /expected a time/]],
    expected: [[1], [-1]],
    expectedOwn: [
      [0, 1],
      [1, 0],
    ],
  },
  {
    name: 'text',
    spec: { type: 'text', ngrams: 2, characterNgrams: [4, 4], combiner: 'sqrtn' },
    values: ["It's  IT", '!?', 'its'],
    // Counts: its 2, #<its 2, #its> 2; of the others one each, in descending order: its it, it, #<it>.
    refused: [
      [5, /expected a text, got 5/],
      [['its'], /expected a text, got an array of 1/],
    ],
    expected: [[1, 5, 4, 3, 2, 6], [], [1, 3, 2]],
    expectedOwn: [[], [2, 6, 5, 4, 3, 7]],
  },
  {
    name: 'vector',
    spec: { type: 'vector', length: 2, normalize: true },
    values: [[3, 4], Float32Array.of(0, -2)],
    refused: [
      [[1], /expected a vector of 2 finite numbers, got an array of 1/],
      [[1, Number.NaN], /expected a vector of 2 finite numbers/],
      [[1e300, 0], /expected a vector of 2 finite numbers/],
      [[0, 0], /expected a vector of 2 numbers, not all zero/],
      [['1', '2'], /expected a vector of 2 finite numbers/],
      [undefined, /got none/],
    ],
    expected: [
      [0.6, 0.8],
      [0, -1],
    ],
    expectedOwn: [
      [0, 0, 1],
      [0.6, 0.8, 0],
    ],
  },
];
