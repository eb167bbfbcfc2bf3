/** The kernels of composed embeddings: every variant equals the reference, and the hash spreads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LearnedIds } from '../../src/embeddings/learned-ids.ts';
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
function run(runtime: Runtime, { ids, columns, sums, rows, w }: Shape): Record<string, number[]> {
  const generator = new Generator(ids * 31 + rows);
  const { heap, kernels, pool } = runtime;
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
    sums: heap.allocate(4 * ids * terms * w),
  };
  blocks.ids.integers(ids).set(Array.from({ length: ids }, () => generator.below(2 ** 31 - 1)));
  for (let t = 0; t < terms; t++) {
    const words = [1 + generator.below(2 ** 31 - 2), generator.below(2 ** 31 - 1), 0, rows];
    blocks.coefficients.integers(4, 16 * t).set(words);
  }
  blocks.table.floats(rows * w).set(Array.from({ length: rows * w }, () => generator.normal()));
  pool.run('hashPointers', ids, 3, blocks.ids.offset, blocks.coefficients.offset, terms, blocks.pointers.offset);
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
  const groups = kernels.groupUses(
    blocks.pointers.offset,
    ids * terms,
    blocks.counters.offset,
    rows,
    blocks.uses.offset,
    blocks.distinct.offset,
    blocks.starts.offset,
  );
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
      fc.property(shape, (drawn) => assert.deepEqual(run(runtime, drawn), run(referenceRuntime, drawn))),
      { numRuns: 60, seed: 11 },
    );
  });
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`learned pointers, ${variant}: of every id, and of some ids with the others left as they were`, { skip }, () => {
    const [vocabulary, columns, sums, blockRows] = [150, 3, 2, 100];
    const generator = new Generator(9);
    const isLearned = Array.from({ length: vocabulary }, () => generator.below(3) === 0);
    const { heap, pool } = runtime;
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

test('the hash stays in range and spreads evenly', () => {
  const { pointers } = run(VARIANTS[1]!.runtime, { ids: 20_000, columns: 1, sums: 1, rows: 50, w: 1 });
  const counts = new Array<number>(50).fill(0);
  for (const pointer of pointers!) counts[pointer]!++;
  // 20,000 draws over 50 rows: expected 400 each, standard deviation 19.8; five of them either way.
  for (const count of counts) assert.ok(Math.abs(count - 400) < 100, `a row got ${count} of 400`);
});
