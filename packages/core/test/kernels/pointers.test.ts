/** The kernels of composed embeddings: every variant equals the reference, and the hash spreads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LearnedIds } from '../../src/embeddings/learned-ids.ts';
import { modelPool } from '../../src/parallel/model-pool.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

interface Shape {
  ids: number;
  columns: number;
  sums: number;
  rows: number;
  w: number;
}

/** Hash, gather, group and sum once; everything that came out. */
function run(
  runtime: Runtime,
  { ids, columns, sums, rows: columnRows, w }: Shape,
  isApart = false,
): Record<string, number[]> {
  const generator = new Generator(ids * 31 + columnRows);
  const rows = columns * columnRows;
  const parts = isApart ? columns : 1;
  const { heap } = runtime;
  const pool = modelPool(runtime);
  const terms = columns * sums;
  const blocks = {
    ids: heap.allocate(4 * ids),
    coefficients: heap.allocate(16 * terms),
    pointers: heap.allocate(4 * ids * terms),
    table: heap.allocate(4 * rows * w),
    out: heap.allocate(4 * ids * columns * w),
    counters: heap.allocate(4 * (rows + 1)),
    uses: heap.allocate(4 * ids * terms),
    distinct: heap.allocate(4 * ids * terms),
    starts: heap.allocate(4 * (ids * terms + 1)),
    groups: heap.allocate(4 * parts),
    sums: heap.allocate(4 * ids * terms * w),
  };
  blocks.ids.integers(ids).set(Array.from({ length: ids }, () => generator.below(2 ** 31 - 1)));
  for (let t = 0; t < terms; t++) {
    const base = Math.floor(t / sums) * columnRows;
    const words = [1 + generator.below(2 ** 31 - 2), generator.below(2 ** 31 - 1), base, columnRows];
    blocks.coefficients.integers(4, 16 * t).set(words);
  }
  blocks.table.floats(rows * w).set(Array.from({ length: rows * w }, () => generator.normal()));
  pool.run('hashPointers', ids, 3, blocks.ids.offset, blocks.coefficients.offset, terms, 1, blocks.pointers.offset);
  pool.run(
    'gatherPointers',
    ids,
    3,
    blocks.table.offset,
    w,
    blocks.pointers.offset,
    columns,
    sums,
    blocks.out.offset,
    columns * w,
  );
  const { uses, distinct, starts } = blocks;
  pool.run('groupUses', parts, 1, {
    pointers: blocks.pointers.offset,
    ids,
    parts,
    sums: terms / parts,
    partRows: rows / parts,
    counters: blocks.counters.offset,
    uses: uses.offset,
    distinct: distinct.offset,
    starts: starts.offset,
    groups: blocks.groups.offset,
  });
  // Parts leave room between their groups: closed up they are what one part gives.
  const found = [...blocks.groups.integers(parts)];
  const closed = (list: Int32Array): number[] =>
    found.flatMap((count, part) => [...list.subarray((part * ids * terms) / parts).subarray(0, count)]);
  const groups = found.reduce((sum, count) => sum + count, 0);
  distinct.integers(ids * terms).set(closed(distinct.integers(ids * terms)));
  starts.integers(ids * terms + 1).set([...closed(starts.integers(ids * terms + 1)), ids * terms]);
  pool.run(
    'sumUses',
    groups,
    2,
    blocks.starts.offset,
    blocks.uses.offset,
    blocks.out.offset,
    columns * w,
    w,
    terms,
    sums,
    blocks.sums.offset,
  );
  assert.ok(blocks.counters.integers(rows + 1).every((count) => count === 0));
  return {
    pointers: [...blocks.pointers.integers(ids * terms)],
    out: [...blocks.out.floats(ids * columns * w)],
    distinct: [...blocks.distinct.integers(groups)],
    starts: [...blocks.starts.integers(groups + 1)],
    uses: [...blocks.uses.integers(ids * terms)],
    sums: [...blocks.sums.floats(groups * w)],
  };
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`pointer kernels, ${variant}: equal to the reference`, { skip }, () => {
    const shape = fc.record({
      ids: fc.integer({ min: 1, max: 40 }),
      columns: fc.integer({ min: 1, max: 4 }),
      sums: fc.integer({ min: 1, max: 3 }),
      rows: fc.integer({ min: 1, max: 30 }),
      w: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(shape, (drawn) => {
        const expected = run(referenceRuntime, drawn);
        assert.deepEqual(run(runtime, drawn), expected);
        assert.deepEqual(run(runtime, drawn, true), expected, 'columns apart');
      }),
      { numRuns: 60, seed: 11 },
    );
  });
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`learned pointers, ${variant}: of every id, and of some ids with the others left as they were`, { skip }, () => {
    const [vocabulary, columns, sums, blockRows] = [150, 3, 2, 100];
    const generator = new Generator(9);
    const isLearned = Array.from({ length: vocabulary }, () => generator.below(3) === 0);
    const { heap } = runtime;
    const pool = modelPool(runtime);
    const set = LearnedIds.where(vocabulary, (id) => isLearned[id]!, heap);
    const ids = Int32Array.from({ length: 90 }, () => generator.below(vocabulary));
    const learned = Uint16Array.from({ length: vocabulary * columns }, () => generator.below(blockRows));
    const [at, from, out] = [heap.allocate(4 * 90), heap.allocate(learned.byteLength), heap.allocate(4 * 90 * 6)];
    at.integers(90).set(ids);
    from.bytes().set(new Uint8Array(learned.buffer));
    const expected = (row: (id: number) => number): number[] =>
      Array.from(ids).flatMap((id) =>
        Array.from({ length: 6 }, (_, term) => {
          const stays = term % 2 === 1 || row(id) < 0;
          return stays ? -7 : (term / 2) * blockRows + learned[row(id) * columns + term / 2]!;
        }),
      );
    out.integers(540).fill(-7);
    pool.run('readPointers', 90, 7, at.offset, from.offset, columns, sums, blockRows, out.offset);
    assert.deepEqual(
      [...out.integers(540)],
      expected((id) => id),
    );
    out.integers(540).fill(-7);
    const { bits, ranks } = set;
    pool.run('readLearnedPointers', 90, 7, at.offset, bits, ranks, from.offset, columns, sums, blockRows, out.offset);
    const order = [...set.ids()];
    assert.deepEqual(
      order,
      isLearned.flatMap((yes, id) => (yes ? [id] : [])),
    );
    assert.deepEqual(
      [...out.integers(540)],
      expected((id) => order.indexOf(id)),
    );
    for (const block of [at, from, out, set]) block.free();
  });
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`hashes into any number of rows, ${variant}: the remainder is exact, and terms between the steps stay`, {
    skip,
  }, () => {
    const { heap } = runtime;
    const pool = modelPool(runtime);
    const prime = 2 ** 31 - 1;
    const powers = Array.from({ length: 31 }, (_, i) => 2 ** i);
    const sizes = [...new Set(powers.flatMap((power) => [power, power + 1, power - 1]))].filter(
      (r) => r >= 1 && r <= prime,
    );
    const ids = [0, 1, 2, 3, 1000, 2 ** 30, prime - 2, prime - 1];
    const [at, coefficients, out] = [heap.allocate(32), heap.allocate(32), heap.allocate(4 * 2 * ids.length)];
    at.integers(ids.length).set(ids);
    for (const rows of sizes) {
      for (const [a, b] of [
        [1, 0],
        [1, 1],
        [prime - 1, prime - 1],
        [0x1234_5678, 0x5432_1000],
      ] as const) {
        coefficients.integers(8).set([1, 0, 0, 1, a, b, 7, rows]);
        out.integers(16).fill(-1);
        pool.run('hashPointers', ids.length, 3, at.offset, coefficients.offset, 2, 2, out.offset);
        const expected = ids.flatMap((id) => {
          const hash = Number((BigInt(a) * BigInt(id) + BigInt(b)) % BigInt(prime));
          return [-1, (7 + (hash % rows)) | 0];
        });
        assert.deepEqual([...out.integers(16)], expected, `${a}, ${b}, ${rows}`);
      }
    }
    for (const block of [at, coefficients, out]) block.free();
  });
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`clustered vectors, ${variant}: what hash, learned pointers and gather give one after the other`, {
    skip,
  }, () => {
    const { heap } = runtime;
    const pool = modelPool(runtime);
    const generator = new Generator(10);
    for (const [columns, w] of [
      [4, 8],
      [3, 5],
      [1, 19],
    ] as const) {
      const [count, vocabulary, k] = [37, 500, 60];
      const stride = columns * w + 1;
      const floats = 2 * columns * k * w;
      const table = heap.allocate(4 * floats);
      table.floats(floats).set(Array.from({ length: floats }, () => generator.normal()));
      const ids = heap.allocate(4 * count);
      ids.integers(count).set(Array.from({ length: count }, () => generator.below(vocabulary)));
      const learned = heap.allocate(2 * vocabulary * columns);
      const pointers = new Uint16Array(heap.memory.memory.buffer, learned.offset, vocabulary * columns);
      pointers.set(Array.from({ length: vocabulary * columns }, () => generator.below(k)));
      const coefficients = heap.allocate(32 * columns);
      for (let term = 0; term < 2 * columns; term++) {
        const words = [1 + generator.below(2 ** 31 - 2), generator.below(2 ** 31 - 1), k * term, k];
        coefficients.integers(4, 16 * term).set(words);
      }
      const found = heap.allocate(8 * count * columns);
      const [expected, out] = [heap.allocate(4 * count * stride), heap.allocate(4 * count * stride)];
      for (const block of [expected, out]) block.floats(count * stride).fill(-9);
      pool.run('hashPointers', count, 7, ids.offset, coefficients.offset, 2 * columns, 2, found.offset);
      pool.run('readPointers', count, 7, ids.offset, learned.offset, columns, 2, 2 * k, found.offset);
      pool.run('gatherPointers', count, 7, table.offset, w, found.offset, columns, 2, expected.offset, stride);
      pool.run('gatherClustered', count, 7, {
        table: table.offset,
        w,
        ids: ids.offset,
        learned: learned.offset,
        coefficients: coefficients.offset,
        columns,
        blockRows: 2 * k,
        out: out.offset,
        outStride: stride,
      });
      assert.deepEqual([...out.floats(count * stride)], [...expected.floats(count * stride)]);
      for (const block of [table, ids, learned, coefficients, found, expected, out]) block.free();
    }
  });
}

test('the hash stays in range and spreads evenly', () => {
  const { pointers } = run(VARIANTS[1]!.runtime, { ids: 20_000, columns: 1, sums: 1, rows: 50, w: 1 });
  const counts = new Array<number>(50).fill(0);
  for (const pointer of pointers!) counts[pointer]!++;
  // 20,000 draws over 50 rows: expected 400 each, standard deviation 19.8; five of them either way.
  for (const count of counts) assert.ok(Math.abs(count - 400) < 100, `a row got ${count} of 400`);
});
