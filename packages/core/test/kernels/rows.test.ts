/** The kernels of rows: known answers, and every variant equals the reference bit for bit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { modelPool } from '../../src/parallel/model-pool.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

function random(rows: number, dimensions: number, seed: number, runtime: Runtime): Matrix {
  const generator = new Generator(seed);
  const matrix = new Matrix(rows, dimensions, runtime);
  matrix.data.forEach((_, i, data) => (data[i] = generator.normal()));
  return matrix;
}

/** The sums of rows of `table` that `bags` name, [bags, d], at column 1 of a wider matrix. */
function sums(
  runtime: Runtime,
  table: Matrix,
  bags: readonly (readonly number[])[],
  weights?: readonly number[],
): number[] {
  const d = table.dimensions;
  const ids = bags.flat();
  const offsets = [0];
  for (const { length } of bags) offsets.push(offsets.at(-1)! + length);
  const block = runtime.heap.allocate(4 * (offsets.length + 2 * ids.length + 1));
  block.integers(offsets.length).set(offsets);
  const places = 4 * offsets.length;
  block.integers(ids.length, places).set(ids.map((id) => table.offset / 4 + id * d));
  const at = places + 4 * ids.length;
  if (weights) block.floats(ids.length, at).set(weights);
  const out = new Matrix(bags.length, d + 3, runtime);
  out.data.fill(7);
  const [offsetsAt, placesAt] = [block.offset, block.offset + places];
  const weightsAt = weights ? block.offset + at : 0;
  modelPool(runtime).run('sumRows', bags.length, 2, offsetsAt, placesAt, weightsAt, d, out.offset + 4, out.dimensions);
  return [...out.data];
}

/** Rows scaled to length 1, their lengths, and a gradient turned back. */
function normalized(runtime: Runtime, rows: number, d: number): number[] {
  const x = random(rows, d + 1, 3, runtime);
  x.row(rows - 1).fill(0);
  const dy = random(rows, d + 2, 4, runtime);
  const lengths = new Matrix(1, rows, runtime);
  modelPool(runtime).run('normalizeRows', rows, 2, x.offset, d + 1, d, lengths.offset);
  modelPool(runtime).run('denormalizeRows', rows, 2, dy.offset, d + 2, x.offset, d + 1, d, lengths.offset);
  return [...x.data, ...lengths.data, ...dy.data];
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`sums of rows, ${variant}: known answer, an empty sum is 0, columns beside stay`, { skip }, () => {
    const table = Matrix.from(
      'table',
      [
        [1, 2],
        [10, 20],
        [-0, 5],
      ],
      runtime,
    );
    assert.deepEqual(sums(runtime, table, [[0, 1, 1], [], [2]]), [7, 21, 42, 7, 7, 7, 0, 0, 7, 7, 7, -0, 5, 7, 7]);
    assert.deepEqual(sums(runtime, table, [[0, 1], [1]], [0.5, 2, -1]), [7, 20.5, 41, 7, 7, 7, -10, -20, 7, 7]);
  });

  test(`lengths, ${variant}: known answer, a row of zeros stays and has no gradient`, { skip }, () => {
    const x = Matrix.from(
      'x',
      [
        [3, 4],
        [0, 0],
      ],
      runtime,
    );
    const dy = Matrix.from(
      'dy',
      [
        [5, 10],
        [1, 1],
      ],
      runtime,
    );
    const lengths = new Matrix(1, 2, runtime);
    modelPool(runtime).run('normalizeRows', 2, 1, x.offset, 2, 2, lengths.offset);
    assert.deepEqual([...x.data, ...lengths.data], [...Float32Array.of(0.6, 0.8, 0, 0, 5, 0)]);
    modelPool(runtime).run('denormalizeRows', 2, 1, dy.offset, 2, x.offset, 2, 2, lengths.offset);
    // ⟨y, dy⟩ = 11; dx = (5 − 6.6, 10 − 8.8) / 5.
    [-0.32, 0.24, 0, 0].forEach((expected, i) => {
      assert.ok(Math.abs(dy.data[i]! - expected) < 1e-6, `${dy.data[i]}`);
    });
  });

  test(`kernels of rows, ${variant}: equal to the reference bit for bit`, { skip }, () => {
    const bags = fc.array(fc.array(fc.nat(8), { maxLength: 6 }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(bags, fc.integer({ min: 1, max: 41 }), fc.boolean(), (lists, d, weighted) => {
        const weights = weighted ? lists.flat().map((id, i) => (id - 3) / (i + 1)) : undefined;
        const run = (on: Runtime): number[] => sums(on, random(9, d, 8, on), lists, weights);
        assert.deepEqual(run(runtime), run(referenceRuntime));
        assert.deepEqual(normalized(runtime, lists.length, d), normalized(referenceRuntime, lists.length, d));
      }),
      { seed: 2, numRuns: 60 },
    );
  });
}
