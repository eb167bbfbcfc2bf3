/** The kernels of the ScaNN index: every variant builds the same bytes and returns the same results as the reference. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Runtime } from '../../src/parallel/runtime.ts';
import { balancedPca } from '../../src/quantization/pca.ts';
import type { ScannOptions } from '../../src/topk/scann/options.ts';
import { ScaNN } from '../../src/topk/scann/scann.ts';
import { flat, normalRows } from '../conformance/oracle.ts';
import { referenceRuntime, VARIANTS } from './variants.ts';

/** One of each way through the kernels. */
const CASES: Record<string, ScannOptions<ArrayLike<number>>> = {
  'dot product, bounds, plain codes': { anisotropic: false, groupBound: 2 },
  'dot product, no correction, anisotropic': { correction: false, anisotropic: 3, groupBound: false },
  'cosine, second leaves': { distanceMeasure: 'cosine', soar: 1, anisotropic: 'auto' },
  'squared distance': { distanceMeasure: 'squared_l2' },
  'upper tree, bfloat16': { upperTree: true, reorder: 'bfloat16', groupBound: 1 },
  'int8 rows, three dimensions a block': { reorder: 'int8', dimensionsPerBlock: 3 },
  'int8 rows, squared distance': { reorder: 'int8', distanceMeasure: 'squared_l2' },
  'balanced PCA, three dimensions a block': { rotation: balancedPca.name, dimensionsPerBlock: 3, soar: 1 },
  'balanced PCA, squared distance': { rotation: balancedPca.name, distanceMeasure: 'squared_l2', upperTree: true },
  'approximate scores': { reorder: false, avq: false, initialization: 'k-means++' },
  'second leaves, approximate scores, spherical': { reorder: false, soar: 0.5, spherical: true },
};

/** Queries of 19 dimensions are rotated in four runs of four, and by three dimensions after them. */
const WIDER = 'balanced PCA, three dimensions a block';

function build(options: ScannOptions<ArrayLike<number>>, runtime: Runtime, d: number): ScaNN {
  const size = options.reorder === false ? {} : { numReorderingCandidates: 20 };
  const index = new ScaNN({
    k: 5,
    tree: 'always',
    numLeaves: 40,
    numLeavesToSearch: 6,
    trainingIterations: 3,
    minLeafSize: 4,
    ...size,
    ...options,
    runtime,
  });
  return index.index(normalRows(400, d, 11));
}

for (const [name, options] of Object.entries(CASES)) {
  const d = name === WIDER ? 19 : 7;
  const expected = build(options, referenceRuntime, d);
  const queries = flat(normalRows(9, d, 12));
  for (const { variant, runtime, skip } of VARIANTS.filter(({ variant }) => variant !== 'reference')) {
    test(`${name}, ${variant}: the reference's bytes and results`, { skip }, () => {
      const index = build(options, runtime, d);
      for (const [part, bytes] of Object.entries(index.parts())) {
        assert.deepEqual(bytes, expected.parts()[part], part);
      }
      const exclude = Array.from({ length: 9 }, (_, query) => [query, 2 * query, 200 + query]);
      for (const call of [
        {},
        { exclude },
        { leavesToSearch: 20, reorder: 130 },
        { filter: (_: unknown, row: number) => row % 3 > 0 },
      ]) {
        const work = { queries: 0, centroids: 0, leaves: 0, codes: 0, reorders: 0 };
        const expectedWork = { ...work };
        const got = index.call(queries, { ...call, work });
        const wanted = expected.call(queries, { ...call, work: expectedWork });
        assert.deepEqual(got.rows, wanted.rows);
        assert.deepEqual(got.scores, wanted.scores);
        assert.deepEqual(got.counts, wanted.counts);
        assert.deepEqual(work, expectedWork);
      }
    });
  }
}
