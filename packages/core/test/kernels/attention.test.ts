/** The kernels of attention: known answers, and every variant agrees with the readable reference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { modelPool } from '../../src/parallel/model-pool.ts';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

const THREADS_MAX = 4;

/** y and dx of sequences of these lengths, with the columns beside y. With `lastOnly` y has a row for each sequence. */
function attended(
  runtime: Runtime,
  lengths: readonly number[],
  heads: number,
  width: number,
  x?: readonly (readonly number[])[],
  lastOnly = false,
): [y: Float32Array, dx: Float32Array] {
  const offsets = Int32Array.of(0, ...lengths);
  for (let s = 1; s < offsets.length; s++) offsets[s] = offsets[s]! + offsets[s - 1]!;
  const rows = offsets.at(-1)!;
  const [columns, d] = [3 * heads * width, heads * width];
  const stride = 4 * Math.ceil((columns + 1) / 4);
  const states = lastOnly ? lengths.length : rows;
  const [from, dy] = [new Matrix(rows, stride, runtime), new Matrix(states, d + 1, runtime)];
  const [y, dx] = [new Matrix(states, d + 2, runtime), new Matrix(rows, stride, runtime)];
  const generator = new Generator(3);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < columns; j++) from.row(row)[j] = x ? x[row]![j]! : 1.5 * generator.normal();
  }
  for (let row = 0; row < states; row++) for (let j = 0; j < d; j++) dy.row(row)[j] = generator.normal();
  y.data.fill(7);
  dx.data.fill(Number.NaN);
  const scratchStride = 2 * 4 * 4 * Math.ceil(Math.max(...lengths, 1) / 4);
  const block = runtime.heap.allocate(scratchStride * THREADS_MAX + 4 * offsets.length);
  // What an earlier call left in the scratch must not matter.
  block.floats((scratchStride * THREADS_MAX) / 4).fill(Number.NaN);
  block.integers(offsets.length, scratchStride * THREADS_MAX).set(offsets);
  const both = {
    ...{ x: from.offset, stride, offsets: block.offset + scratchStride * THREADS_MAX, heads, width },
    ...{ scale: 1 / Math.sqrt(width), lastOnly: Number(lastOnly), scratch: block.offset, scratchStride },
  };
  const pool = modelPool(runtime);
  pool.run('causalAttention', lengths.length, 1, { ...both, y: y.offset, yStride: d + 2 });
  const gradient = { ...both, dy: dy.offset, dyStride: d + 1, dx: dx.offset };
  pool.run('causalAttentionGradient', lengths.length, 1, gradient);
  return [y.data.slice(), dx.data.slice()];
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`attention, ${variant}: known answer`, { skip }, () => {
    // One head of one column. The second item's scores are 2·ln 3 · (0, 0.5): weights 1/4 and 3/4.
    const rows = [
      [5, 0, 8],
      [2 * Math.log(3), 0.5, 4],
      [1, 1, 9],
    ];
    const [y] = attended(runtime, [2, 0, 1], 1, 1, rows);
    [8, 7, 7, 5, 7, 7, 9, 7, 7].forEach((expected, i) => {
      assert.ok(Math.abs(y[i]! - expected) < 1e-5, `y[${i}]: ${y[i]}, not ${expected}`);
    });
  });

  test(`attention, ${variant}: as the reference, whatever the lengths and widths`, { skip }, () => {
    const lengths = fc.array(fc.nat(11), { minLength: 1, maxLength: 5 });
    const shape = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(1, 2, 3, 4, 6, 16, 21), fc.boolean());
    fc.assert(
      fc.property(lengths, shape, (of, [heads, width, lastOnly]) => {
        const expected = attended(referenceRuntime, of, heads, width, undefined, lastOnly);
        attended(runtime, of, heads, width, undefined, lastOnly).forEach((values, output) => {
          values.forEach((value, i) => {
            const right = expected[output]![i]!;
            assert.ok(
              Math.abs(value - right) <= 2e-5 * (1 + Math.abs(right)),
              `output ${output}[${i}]: ${value}, not ${right}`,
            );
          });
        });
      }),
      { numRuns: 40, seed: 5 },
    );
  });

  test(`attention, ${variant}: the last items alone, with the bits of all items`, { skip }, () => {
    const [all] = attended(runtime, [3, 0, 1], 2, 3);
    const [last, dx] = attended(runtime, [3, 0, 1], 2, 3, undefined, true);
    const row = (y: Float32Array, i: number): number[] => [...y.subarray(8 * i, 8 * i + 6)];
    assert.deepEqual([row(last, 0), row(last, 1), row(last, 2)], [row(all, 2), [0, 0, 0, 0, 0, 0], row(all, 3)]);
    // The queries of the first two items have no part in any output, and their keys and values have one.
    for (const item of [0, 1]) {
      const columns = [...dx.subarray(20 * item, 20 * item + 18)];
      assert.ok(columns.slice(0, 6).every((value) => value === 0) && columns.slice(6).every((value) => value !== 0));
    }
  });

  test(`attention, ${variant}: large scores give finite weights, and NaN stays NaN`, { skip }, () => {
    const rows = [
      [300, 300, 1],
      [300, -300, 5],
    ];
    const [y, dx] = attended(runtime, [2], 1, 1, rows);
    assert.deepEqual([y[0], y[3]], [1, 1]);
    assert.ok(dx.every(Number.isFinite));
    const [broken] = attended(runtime, [1, 2], 1, 1, [
      [1, 1, 1],
      [Number.NaN, 1, 1],
      [1, 1, 1],
    ]);
    assert.ok(Number.isNaN(broken[3]) && broken[0] === 1, 'in its own sequence alone');
  });
}
