/** The generator: integers without bias against a BigInt oracle, independent streams, moments, permutations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Generator } from '../../src/random/generator.ts';

const BOUND_MAX = 0x1_0000_0000;

/** Lemire's method in exact integers, on the same draws. */
function belowOracle(generator: Generator, bound: number): number {
  const reject = BigInt(BOUND_MAX % bound);
  for (;;) {
    const product = BigInt(generator.uint32()) * BigInt(bound);
    if ((product & 0xffff_ffffn) >= reject) return Number(product >> 32n);
  }
}

test('below equals the oracle in exact integers, draw for draw', () => {
  const bound = fc.oneof(
    fc.integer({ min: 1, max: BOUND_MAX }),
    fc.integer({ min: 1, max: 20 }),
    // Just above 2³¹ nearly half of the draws are rejected.
    fc.constantFrom(1, 2, 3, 0x8000_0000, 0x8000_0001, 0xc000_0001, BOUND_MAX - 1, BOUND_MAX),
  );
  fc.assert(
    fc.property(fc.integer(), bound, (seed, bound) => {
      const fast = new Generator(seed);
      const exact = new Generator(seed);
      for (let i = 0; i < 20; i++) assert.equal(fast.below(bound), belowOracle(exact, bound));
      assert.equal(fast.uint32(), exact.uint32(), 'both took the same number of draws');
    }),
    { numRuns: 500, seed: 2 },
  );
});

test('one seed gives one stream; labels, indices and seeds give others', () => {
  const draws = (generator: Generator): number[] => Array.from({ length: 8 }, () => generator.uint32());
  const root = new Generator(42);
  assert.deepEqual(draws(root), draws(new Generator(42)));
  const streams = [
    new Generator(42),
    new Generator(43),
    new Generator(42 + 2 ** 32),
    new Generator(-1),
    root.fork('a'),
    root.fork('b'),
    root.fork('a', 1),
    root.fork('a').fork('a'),
  ].map((generator) => draws(generator).join());
  assert.equal(new Set(streams).size, streams.length);
  assert.deepEqual(draws(root.fork('a')), draws(new Generator(42).fork('a')), 'a fork does not depend on draws before');
});

test('uniform and normal have their moments', () => {
  const generator = new Generator(7);
  const n = 100_000;
  const moments = (draw: () => number): { mean: number; variance: number } => {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const x = draw();
      sum += x;
      squares += x * x;
    }
    return { mean: sum / n, variance: squares / n - (sum / n) ** 2 };
  };
  // Four standard errors of the mean: 4 · σ / √n = .0037 and .0127.
  const uniform = moments(() => generator.uniform());
  assert.ok(Math.abs(uniform.mean - 0.5) < 0.0037 && Math.abs(uniform.variance - 1 / 12) < 0.002);
  const normal = moments(() => generator.normal());
  assert.ok(Math.abs(normal.mean) < 0.0127 && Math.abs(normal.variance - 1) < 0.02);
});

test('uniform lies in [0, 1) and is exact in float32', () => {
  const generator = new Generator(8);
  for (let i = 0; i < 10_000; i++) {
    const x = generator.uniform();
    assert.ok(x >= 0 && x < 1 && Math.fround(x) === x);
  }
});

test('permutation holds every number once and every order is as likely', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 300 }), (seed, length) => {
      assert.deepEqual(
        new Generator(seed).permutation(length).sort(),
        Int32Array.from({ length }, (_, i) => i),
      );
    }),
    { numRuns: 100, seed: 3 },
  );
  const counts = new Map<string, number>();
  const generator = new Generator(9);
  for (let i = 0; i < 12_000; i++) {
    const order = generator.permutation(3).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  // 2,000 expected of each; four standard deviations are 163.
  for (const [order, count] of counts) assert.ok(Math.abs(count - 2_000) < 163, `${order}: ${count}`);
});
