/** The kernels of listed centroids: known answers, odd lists, and every variant equals the reference bit for bit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { listedScratchBytes, nearestScratchBytes } from '../../src/kernels/families/neighbours.ts';
import { modelPool } from '../../src/parallel/model-pool.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { VARIANTS } from './variants.ts';

type Lists = readonly (readonly number[])[];

interface Case {
  d: number;
  rows: Float32Array;
  centroids: Float32Array;
  members: Lists;
  lists: Lists;
}

/** Offsets of numbers in the memory of a runtime. */
function place(runtime: Runtime, numbers: ArrayLike<number>, isFloat = false): number {
  const block = runtime.heap.allocate(4 * Math.max(1, numbers.length));
  if (isFloat) block.floats(numbers.length).set(numbers);
  else block.integers(numbers.length).set(numbers);
  return block.offset;
}

function placeLists(runtime: Runtime, lists: Lists): { begin: number; order: number; most: number } {
  const begin = [0];
  for (const list of lists) begin.push(begin.at(-1)! + list.length);
  const most = Math.max(...lists.map(({ length }) => length));
  return { begin: place(runtime, begin), order: place(runtime, lists.flat()), most };
}

/** Labels and scores of the rows; rows of no list keep −1 and 0. */
function assign(
  runtime: Runtime,
  { d, rows, centroids, members, lists }: Case,
): { labels: number[]; scores: number[] } {
  const n = rows.length / d;
  const own = placeLists(runtime, members);
  const listed = placeLists(runtime, lists);
  const halves = Float32Array.from({ length: centroids.length / d }, (_, c) => {
    return centroids.subarray(c * d, (c + 1) * d).reduce((sum, value) => sum + value * value, 0) / 2;
  });
  const labels = runtime.heap.allocate(4 * n);
  labels.integers(n).fill(-1);
  const scores = runtime.heap.allocate(4 * n);
  const scratchStride = listedScratchBytes(listed.most, d);
  modelPool(runtime).run('assignListed', lists.length, 1, {
    rows: place(runtime, rows, true),
    d,
    rowBegin: own.begin,
    order: own.order,
    listBegin: listed.begin,
    listed: listed.order,
    centroids: place(runtime, centroids, true),
    halfSquares: place(runtime, halves, true),
    labels: labels.offset,
    scores: scores.offset,
    scratch: runtime.heap.allocate(scratchStride * runtime.pool.threads).offset,
    scratchStride,
    listMax: listed.most,
  });
  return { labels: [...labels.integers(n)], scores: [...scores.floats(n)] };
}

/** The m nearest of the listed centroids of each centroid. */
function nearest(runtime: Runtime, { d, centroids, members, lists }: Case, m: number): number[] {
  const k = centroids.length / d;
  const groups = placeLists(runtime, members);
  const listed = placeLists(runtime, lists);
  const out = runtime.heap.allocate(4 * k * m);
  const scratchStride = nearestScratchBytes(listed.most, d, m);
  modelPool(runtime).run('nearestListed', members.length, 1, {
    centroids: place(runtime, centroids, true),
    d,
    groupBegin: groups.begin,
    order: groups.order,
    listBegin: listed.begin,
    listed: listed.order,
    m,
    nearest: out.offset,
    scratch: runtime.heap.allocate(scratchStride * runtime.pool.threads).offset,
    scratchStride,
    listMax: listed.most,
  });
  return [...out.integers(k * m)];
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`known answer of assignListed, ${variant}: only listed centroids, ties to the lower, others stay`, {
    skip,
  }, () => {
    const call: Case = {
      d: 1,
      rows: Float32Array.of(0, 5, 9, 5),
      centroids: Float32Array.of(0, 4, 6, 10),
      members: [[0], [], [1, 2]],
      lists: [[1, 3], [], [1, 2]],
    };
    const { labels, scores } = assign(runtime, call);
    assert.deepEqual(labels, [1, 1, 2, -1]);
    // ⟨x, c⟩ − |c|²/2
    assert.deepEqual(scores, [-8, 12, 36, 0]);
  });

  test(`known answer of nearestListed, ${variant}: ascending, ties to the first`, { skip }, () => {
    const call = { d: 1, rows: new Float32Array(0), centroids: Float32Array.of(0, 1, 2, 7, 8) };
    const groups = {
      members: [[2, 0], [1], [3, 4]],
      lists: [
        [0, 1, 2, 3],
        [0, 2],
        [2, 3, 4],
      ],
    };
    assert.deepEqual(nearest(runtime, { ...call, ...groups }, 2), [0, 1, 0, 2, 1, 2, 3, 4, 3, 4]);
  });
}

test('both kernels have the bits of the reference, for any lists', () => {
  const [reference, ...others] = VARIANTS.filter(({ skip }) => !skip).map(({ runtime }) => runtime);
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer({ min: 0, max: 999 }),
        d: fc.integer({ min: 1, max: 9 }),
        n: fc.integer({ min: 1, max: 150 }),
        k: fc.integer({ min: 1, max: 40 }),
        groups: fc.integer({ min: 1, max: 5 }),
        isRough: fc.boolean(),
      }),
      ({ seed, d, n, k, groups, isRough }) => {
        const random = new Generator(seed);
        const numbers = (count: number): Float32Array =>
          Float32Array.from({ length: count * d }, () => (isRough ? random.below(3) : random.normal()));
        const m = 1 + random.below(k);
        const members: number[][] = Array.from({ length: groups }, () => []);
        for (let row = 0; row < n; row++) members[random.below(groups)]!.push(row);
        const ofGroups: number[][] = Array.from({ length: groups }, () => []);
        for (let c = 0; c < k; c++) ofGroups[random.below(groups)]!.push(c);
        const lists = members.map(() => {
          const length = m + random.below(k - m + 1);
          return [...random.permutation(k).subarray(0, length)].sort((a, b) => a - b);
        });
        const call = { d, rows: numbers(n), centroids: numbers(k), members, lists };
        const results = [reference!, ...others].map((runtime) => ({
          ...assign(runtime, call),
          nearest: nearest(runtime, { ...call, members: ofGroups }, m),
        }));
        for (const other of results.slice(1)) assert.deepEqual(other, results[0]);
      },
    ),
    { numRuns: 30 },
  );
});
