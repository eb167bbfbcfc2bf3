/** Coarse codes: they save work and never change a bit of a result. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Runtime } from '../../src/parallel/runtime.ts';
import { BruteForce } from '../../src/topk/brute-force/brute-force.ts';
import { CoarseCodes } from '../../src/topk/brute-force/coarse-codes.ts';
import { PanelSearch } from '../../src/topk/brute-force/panel-search.ts';
import { PanelStore } from '../../src/topk/brute-force/panel-store.ts';
import { Identifiers } from '../../src/topk/identifiers.ts';
import { RowMask } from '../../src/topk/row-mask.ts';
import { vectorSource } from '../../src/topk/vector-source.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { VARIANTS } from '../kernels/variants.ts';

for (const { variant, runtime, skip } of VARIANTS) {
  test(`coarse codes, ${variant}: the results of the plain scan, bit for bit`, { skip }, () => {
    const shape = fc.record({
      n: fc.integer({ min: 1, max: 400 }),
      d: fc.integer({ min: 1, max: 21 }),
      k: fc.integer({ min: 1, max: 20 }),
      // Rows of very different lengths, coarse values with many ties, subnormal and huge numbers.
      spread: fc.constantFrom(0, 3, 30),
      levels: fc.constantFrom(0, 1, 2),
      candidateScale: fc.constantFrom(1, 1e-40, 1e-20, 1e18),
      queryScale: fc.constantFrom(1, 1e-40, 1e-6, 1e18, 1e20),
      modulo: fc.integer({ min: 1, max: 20 }),
      seed: fc.integer({ min: 0, max: 1e6 }),
    });
    fc.assert(
      fc.property(shape, ({ n, d, k, spread, levels, candidateScale, queryScale, modulo, seed }) => {
        const shaped = (rows: Float32Array[], scale: number): Float32Array[] =>
          rows.map((row, i) =>
            row.map((x) => (levels > 0 ? Math.round(x * levels) : x) * scale * 10 ** (spread * Math.sin(i))),
          );
        const candidates = shaped(normalRows(n, d, seed, 'candidates'), candidateScale);
        const queries = shaped(normalRows(2, d, seed, 'queries'), queryScale);
        if ([...candidates, ...queries].some((row) => !row.every(Number.isFinite))) return;
        const store = new PanelStore(runtime).append(vectorSource('candidates', candidates)).finish();
        const coarse = new CoarseCodes(store);
        const search = new PanelSearch(runtime);
        const mask = RowMask.of(new Identifiers<number>(n), 2, modulo > 1 ? { filter: (id) => id % modulo === 0 } : {});
        const asked = vectorSource('queries', queries);
        const plain = search.run(store, asked, Math.min(k, n), mask);
        assert.deepEqual(search.run(store, asked, Math.min(k, n), mask, coarse), plain);
        search.free();
        coarse.free();
        store.free();
      }),
      { numRuns: variant === 'reference' ? 150 : 600, seed: 13 },
    );
  });
}

test('queries whose scores could leave the normal numbers are left to the plain scan', () => {
  const runtime = new Runtime({ threads: 1 });
  const store = new PanelStore(runtime).append(vectorSource('candidates', [[3, 4]])).finish();
  const coarse = new CoarseCodes(store);
  assert.equal(coarse.code(Float32Array.of(0, 0)), undefined);
  assert.equal(coarse.code(Float32Array.of(1e-30, 0)), undefined);
  assert.equal(coarse.code(Float32Array.of(3e38, 0)), undefined);
  const { codes, offset, scale } = coarse.code(Float32Array.of(127, -64))!;
  assert.deepEqual([...codes], [127, -64, 0, 0]);
  assert.equal(offset, 64 * (127 - 64));
  assert.equal(scale, 1);
});

test('a large index makes them at the first small call, and lets them go with its candidates', () => {
  const runtime = new Runtime({ threads: 2 });
  const candidates = flat(normalRows(70_000, 6, 4, 'candidates'));
  const queries = normalRows(3, 6, 4, 'queries');
  const plain = new BruteForce<ArrayLike<number>, number>({ runtime, coarseCodes: false }).index(candidates);
  const index = new BruteForce<ArrayLike<number>, number>({ runtime }).index(candidates);
  assert.equal(index.sizeBytes, plain.sizeBytes);
  for (const exclude of [undefined, [0, 1, 2], queries.map((query) => plain.call(query).identifiers())]) {
    const result = index.call(queries, { k: 50, exclude });
    const expected = plain.call(queries, { k: 50, exclude });
    assert.deepEqual(result.rows, expected.rows);
    assert.deepEqual(result.scores, expected.scores);
    assert.deepEqual(result.counts, expected.counts);
  }
  assert.ok(index.sizeBytes > plain.sizeBytes);
  assert.ok(index.sizeBytes < 1.55 * plain.sizeBytes, 'a quarter and a scale a row: at 6 dimensions one half');
  index.index([[1]]);
  assert.ok(index.sizeBytes < 1000);
  runtime.pool.stop();
});
