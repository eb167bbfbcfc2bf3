/** Frequencies of a stream: a known distribution, a distribution that changes, and keys that share buckets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OptionError } from '../../src/errors/errors.ts';
import { Generator } from '../../src/random/generator.ts';
import { StreamingFrequency } from '../../src/retrieval/streaming-frequency.ts';

const ROWS = 200_000;
const KEYS = 2000;

/** Keys drawn by Zipf's law: key i has the share 1 / (i + 1) / Σ. */
function zipf(rows: number, keyOf = (rank: number): number => rank): { keys: Int32Array; shares: Float64Array } {
  const weights = Float64Array.from({ length: KEYS }, (_, i) => 1 / (i + 1));
  const sum = weights.reduce((a, b) => a + b);
  const shares = weights.map((weight) => weight / sum);
  const ends = shares.slice();
  for (let i = 1; i < KEYS; i++) ends[i]! += ends[i - 1]!;
  const generator = new Generator(7);
  const keys = Int32Array.from({ length: rows }, () => {
    const draw = generator.uniform();
    let [rank, after] = [0, KEYS - 1];
    while (rank < after) {
      const middle = (rank + after) >> 1;
      if (draw < ends[middle]!) after = middle;
      else rank = middle + 1;
    }
    return keyOf(rank);
  });
  return { keys, shares };
}

/** Mean relative error over keys [begin, end). */
function errorOf(found: Float64Array, shares: Float64Array, begin: number, end: number): number {
  let sum = 0;
  for (let i = begin; i < end; i++) sum += Math.abs(found[i]! / shares[i]! - 1);
  return sum / (end - begin);
}

test('shares of a known distribution, to within the error that the rate leaves', () => {
  const { keys, shares } = zipf(ROWS);
  const frequency = new StreamingFrequency();
  for (let begin = 0; begin < ROWS; begin += 1000) frequency.add(keys.subarray(begin, begin + 1000));
  assert.equal(frequency.rows, ROWS);
  const found = frequency.probabilities(Int32Array.from({ length: KEYS }, (_, i) => i));
  // √(α / 2) · √(2 / π) = .056 of a normal error; measured .051 for the frequent keys and .18 for those of 12 to 50 hits.
  assert.ok(errorOf(found, shares, 0, 50) < 0.09, `${errorOf(found, shares, 0, 50)}`);
  assert.ok(errorOf(found, shares, 500, KEYS) < 0.3, `${errorOf(found, shares, 500, KEYS)}`);
  const [never] = frequency.probabilities([-5]);
  assert.equal(never, 1 / ROWS);
  // The first hits count as they are: three hits in six rows.
  const short = new StreamingFrequency();
  short.add([1, 2, 1, 3, 4, 1]);
  assert.deepEqual([...short.probabilities([1])], [1 / 2]);
});

test('a change of popularity is followed, the sooner the higher the rate', () => {
  const before = zipf(ROWS);
  const after = zipf(ROWS / 10, (rank) => KEYS - 1 - rank);
  const errors = [0.05, 1 / 0xffff].map((learningRate) => {
    const frequency = new StreamingFrequency({ learningRate });
    frequency.add(before.keys);
    frequency.add(after.keys);
    const found = frequency.probabilities(Int32Array.from({ length: 20 }, (_, i) => KEYS - 1 - i));
    return errorOf(found, before.shares, 0, 20);
  });
  // Measured .12 and .91.
  assert.ok(errors[0]! < 0.3 && errors[1]! > 0.6, `${errors}`);
});

test('keys that share buckets are never estimated as rarer by fewer hash functions', () => {
  const { keys, shares } = zipf(ROWS / 4);
  const all = Int32Array.from({ length: KEYS }, (_, i) => i);
  const errors = [1, 2, 4].map((hashes) => {
    const frequency = new StreamingFrequency({ buckets: 1000, hashes });
    frequency.add(keys);
    return errorOf(frequency.probabilities(all), shares, 0, KEYS);
  });
  assert.ok(errors[0]! > 2 * errors[1]!, `${errors}`);
  assert.ok(errors[1]! > errors[2]!, `${errors}`);
});

test('options out of range are refused', () => {
  for (const options of [
    { buckets: 0 },
    { hashes: 0 },
    { hashes: 17 },
    { learningRate: 0 },
    { learningRate: 2 },
    { seed: 0.5 },
  ]) {
    assert.throws(() => new StreamingFrequency(options), OptionError);
  }
  assert.throws(
    () => new StreamingFrequency({ bucket: 3 } as object),
    /nearest is buckets|did you mean buckets|buckets/,
  );
});
