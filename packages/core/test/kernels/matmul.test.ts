/** The scores of panels: every variant equals the reference bit for bit, on odd shapes too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { Generator } from '../../src/random/generator.ts';
import { Matrix } from '../../src/vectors/matrix.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

function random(rows: number, dimensions: number, seed: number, runtime: Runtime): Matrix {
  const generator = new Generator(seed);
  const matrix = new Matrix(rows, dimensions, runtime);
  const { data } = matrix;
  for (let i = 0; i < data.length; i++) data[i] = generator.normal();
  return matrix;
}

/** All scores of A [m, d] with B [n, d] by the panel kernels. */
function scores(runtime: Runtime, m: number, n: number, d: number): Float32Array {
  const a = random(m, d, 1, runtime);
  const b = random(n, d, 2, runtime);
  const panels = Math.ceil(n / 8);
  const packed = new Matrix(panels * 8, d, runtime);
  const out = new Matrix(m, panels * 8, runtime);
  runtime.pool.run('packPanels', panels, 1, b.offset, n, d, packed.offset);
  runtime.kernels.scorePanels(a.offset, m, d, packed.offset, panels, out.offset, panels * 8);
  return out.data.slice();
}

for (const { variant, runtime, skip } of VARIANTS) {
  test(`scorePanels, ${variant}: known answer`, { skip }, () => {
    const a = Matrix.from('a', [[1, 2, 3]], runtime);
    const b = Matrix.from(
      'b',
      [
        [1, 0, 0],
        [0, 1, 0],
        [1, 1, 1],
      ],
      runtime,
    );
    const packed = new Matrix(8, 3, runtime);
    const out = new Matrix(1, 8, runtime);
    runtime.kernels.packPanels(0, 1, 0, b.offset, 3, 3, packed.offset);
    runtime.kernels.scorePanels(a.offset, 1, 3, packed.offset, 1, out.offset, 8);
    assert.deepEqual([...out.data], [1, 2, 6, 0, 0, 0, 0, 0]);
  });

  test(`scores of panels, ${variant}: equal to the reference bit for bit`, { skip }, () => {
    const shape = fc.tuple(
      fc.integer({ min: 1, max: 19 }),
      fc.integer({ min: 1, max: 35 }),
      fc.integer({ min: 1, max: 9 }),
    );
    fc.assert(
      fc.property(shape, ([m, n, quarter]) => {
        assert.deepEqual(scores(runtime, m, n, quarter), scores(referenceRuntime, m, n, quarter));
      }),
      { numRuns: 40, seed: 7 },
    );
  });
}
